#!/bin/sh
# The appliance's reporting.cgi, as far as command_spec.lua needs it: takes the documented arguments, asks the sandbox, prints its JSON.
[ "$1" = -getReport ] || { echo "usage: reporting.cgi -getReport -rpt_json=JSON -data_requested=JSON" >&2; exit 64; }
set -f # the line of make sandbox: URL, token=…, ca=…
set -- "$2" "$3" $SCRUTINIZER_SANDBOX
exec curl -sS --config - "$3/fcgi/scrut_fcgi.fcgi" --data rm=report_api --data action=get \
  --data-urlencode "rpt_json=${1#-rpt_json=}" --data-urlencode "data_requested=${2#-data_requested=}" <<END
cacert = "${5#ca=}"
data-urlencode = "authToken=${4#token=}"
END
