-- A tariff; money is in cents. lua/scrutinizer/billing/tariff.lua lists all fields.
return { currency = "EUR", unit = "kbps", step = 1, price = 100 }
