--- The currencies of ISO 4217 and the digits of their minor units. Codes without a minor unit (metals, tests, funds in XDR) cannot be billed in.

local currency = {}

local DIGITS = {
  [0] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
  [2] = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP "
    .. "CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK "
    .. "LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD "
    .. "RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG "
    .. "YER ZAR ZMW ZWG",
  [3] = "BHD IQD JOD KWD LYD OMR TND",
  [4] = "CLF UYW",
}

local OF = {}
for digits, codes in pairs(DIGITS) do
  for code in codes:gmatch "[A-Z]+" do OF[code] = digits end
end

--- How many digits a currency's minor unit has; nil for a code that ISO 4217 does not list.
---@param code any
---@return integer?
function currency.digits(code)
  return type(code) == "string" and OF[code] or nil
end

return currency
