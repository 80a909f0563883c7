#!/usr/bin/env bash
# Certificates for spec/servers/tls_server.py, into the directory given: one right, the others wrong in one way each; chains of which one is wrong.
set -eu
cd "$1"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
cat >ca.cnf <<'CNF'
[ca]
default_ca = here
[here]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = optional
CNF
: >index
echo 01 >serial
# sign NAME SUBJECT-ALT-NAME [dates]: by ca
sign() {
  local name=$1 san=$2
  shift 2
  [ -e "$name.key" ] || key "$name"
  printf 'subjectAltName=%s\n' "$san" >"$name.ext"
  openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
  openssl ca -batch -notext -config ca.cnf -cert "${CA:-ca}.pem" -keyfile "${CA:-ca}.key" -in "$name.csr" -out "$name.pem" -extfile "$name.ext" "$@"
}
key ca
key other
openssl req -x509 -new -key ca.key -subj "/CN=the right authority" -days 30 -out ca.pem
openssl req -x509 -new -key other.key -subj "/CN=another authority" -days 30 -out other.pem
here=IP:127.0.0.1
sign good $here -days 30
sign expired $here -startdate 20200101000000Z -enddate 20210101000000Z
sign future $here -startdate 20490101000000Z -enddate 20491231000000Z
sign elsewhere DNS:elsewhere.example -days 30
CA=other sign stranger $here -days 30
openssl genrsa -out weak.key 1024
sign weak $here -days 30
sign client DNS:client -days 30
CA=other sign intruder DNS:intruder -days 30
# An authority in between, by ca or $CA.
between() {
  local name=$1
  shift
  key "$name"
  printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,digitalSignature\n' >"$name.ext"
  openssl req -new -key "$name.key" -subj "/CN=between $name" -out "$name.csr"
  openssl ca -batch -notext -config ca.cnf -cert "${CA:-ca}.pem" -keyfile "${CA:-ca}.key" -in "$name.csr" -out "$name.pem" -extfile "$name.ext" "$@"
}
between right -days 30
between over -startdate 20200101000000Z -enddate 20210101000000Z
between early -startdate 20490101000000Z -enddate 20491231000000Z
CA=other between strange -days 30
key old
openssl req -x509 -new -key old.key -subj "/CN=the old authority" -days 30 -out old.tmp
openssl ca -batch -notext -config ca.cnf -selfsign -keyfile old.key -in <(openssl x509 -x509toreq -in old.tmp -signkey old.key) \
  -out old.pem -extfile right.ext -subj "/CN=the old authority" -startdate 20200101000000Z -enddate 20210101000000Z
CA=right sign whole $here -days 30
CA=right sign missing $here -days 30
CA=over sign midover $here -days 30
CA=early sign midearly $here -days 30
CA=strange sign strangeroot $here -days 30
CA=old sign oldroot $here -days 30
cat right.pem >>whole.pem
cat over.pem >>midover.pem
cat early.pem >>midearly.pem
cat strange.pem other.pem >>strangeroot.pem
key selfsigned
openssl req -x509 -new -key selfsigned.key -subj "/CN=selfsigned" -addext "subjectAltName=$here" -days 30 -out selfsigned.pem
key hostile
openssl req -x509 -new -key hostile.key -utf8 -subj "/CN=$(printf 'evil\033[31m\nlog\302\233line')" -days 30 -out hostile.pem
openssl ec -in client.key -aes128 -passout pass:secret -out locked.key
for name in good selfsigned; do
  openssl x509 -in $name.pem -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64 >$name.pin
done
