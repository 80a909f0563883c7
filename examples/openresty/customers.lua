-- The customers of the page: a display name, and the customer's networks.
return {
  home = { name = "Home office", networks = { "192.168.0.0/16" } },
  lab = { name = "Lab <b>10.8</b>", networks = { "10.8.0.0/16", "10.0.0.0/16" } },
  partner = { name = "Partner & sons", networks = { "157.240.0.0/16" } },
}
