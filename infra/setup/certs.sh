#!/bin/sh
# Makes a development certificate: certs.sh [FOLDER], .certs when left out.
# The folder gets ca.pem, to be trusted, and localhost.pem: certificate, chain and key, as HAProxy wants them.
# Does nothing when they are there and good for a week more. The CA's key is thrown away: nothing else can be signed by it.
set -eu
cd "$(dirname "$0")/../.."

folder="${1:-.certs}"
days=365

good() { openssl x509 -in "$1" -noout -checkend 604800 >/dev/null 2>&1; }

if good "$folder/localhost.pem" && good "$folder/ca.pem"; then
    exit 0
fi
command -v openssl >/dev/null || infra/setup/apt.sh openssl

umask 077
mkdir -p "$folder"
made="$(mktemp -d "$folder/new.XXXXXX")"
trap 'rm -rf "$made"' EXIT
echo '*' >"$folder/.gitignore"

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

key "$made/ca.key"
openssl req -x509 -new -sha256 -days "$days" -key "$made/ca.key" -out "$made/ca.pem" \
    -subj "/CN=Watchroute development" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign"
key "$made/localhost.key"
openssl req -new -sha256 -key "$made/localhost.key" -subj "/CN=localhost" -out "$made/localhost.csr"
cat >"$made/extensions" <<'END'
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1
END
openssl x509 -req -sha256 -days "$days" -in "$made/localhost.csr" -CA "$made/ca.pem" -CAkey "$made/ca.key" \
    -CAcreateserial -extfile "$made/extensions" -out "$made/localhost.crt" 2>/dev/null
cat "$made/localhost.crt" "$made/ca.pem" "$made/localhost.key" >"$made/localhost.pem"
mv "$made/ca.pem" "$made/localhost.pem" "$folder/"
echo "Made $folder/localhost.pem; trust $folder/ca.pem: curl --cacert $folder/ca.pem https://localhost:8443/" >&2
