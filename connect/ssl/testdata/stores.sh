#!/bin/sh
# Makes the stores of the tests anew, with the keytool of a JDK (17) and OpenSSL (3). The stores in this folder are what it
# made once; their certificates last a hundred years.
set -eu
cd "$(dirname "$0")"
rm -f ./*.p12 ./*.jks ./*.pem
store="-storepass store-pass -noprompt"
key="$store -keyalg EC -groupname secp256r1 -validity 36500"
# authorities: ca signs server and client, other signs nobody
keytool -genkeypair $key -alias ca -dname CN=ca -ext bc:c -keystore ca.p12
keytool -genkeypair $key -alias other -dname CN=other -ext bc:c -keystore ca.p12
for a in ca other; do keytool -exportcert $store -alias $a -rfc -keystore ca.p12 -file $a.pem; done
sign() { # STORE ALIAS EXTENSION...
  s=$1 a=$2
  shift 2
  keytool -certreq $store -alias "$a" -keystore "$s" >request
  keytool -gencert $store -alias ca -keystore ca.p12 -validity 36500 -rfc "$@" <request >"$a.pem"
  cat "$a.pem" ca.pem >chain
  keytool -importcert $store -alias "$a" -file chain -keystore "$s"
  rm request chain
}
# server.p12: the authority as a trusted entry and a key, as the instructions for brokers have it
keytool -genkeypair $key -alias server -dname CN=server -keystore server.p12
keytool -importcert $store -alias CARoot -file ca.pem -keystore server.p12
sign server.p12 server -ext san=dns:localhost,ip:127.0.0.1
# client.p12: a key alone, with its chain
keytool -genkeypair $key -alias client -dname CN=client -keystore client.p12
keytool -importcert $store -alias ca -file ca.pem -keystore client.p12
sign client.p12 client
keytool -delete $store -alias ca -keystore client.p12
# two.p12: two keys, the client's and one of nobody's
keytool -importkeystore -noprompt -srckeystore client.p12 -srcstorepass store-pass -destkeystore two.p12 -deststorepass store-pass
keytool -genkeypair $key -alias a-first -dname CN=nobody -keystore two.p12
# the same as JKS, the key of client.jks with a password of its own
keytool -importkeystore -noprompt -srckeystore server.p12 -srcstorepass store-pass -destkeystore server.jks -deststoretype JKS -deststorepass store-pass
keytool -importkeystore -noprompt -srckeystore client.p12 -srcstorepass store-pass -srcalias client -destkeystore client.jks -deststoretype JKS -deststorepass store-pass -destkeypass key-pass
# trust stores
for type in PKCS12 JKS; do
  file=trust.$(echo $type | sed 's/PKCS12/p12/;s/JKS/jks/')
  for a in other ca; do keytool -importcert $store -storetype $type -alias $a -file $a.pem -keystore "$file"; done
done
# what OpenSSL makes: of today, of ten years ago, and PEM with an encrypted key
openssl pkcs12 -in client.p12 -passin pass:store-pass -nodes -out all.pem
openssl pkcs12 -export -in all.pem -out openssl.p12 -passout pass:store-pass
openssl pkcs12 -export -legacy -in all.pem -out legacy.p12 -passout pass:store-pass
openssl pkcs8 -topk8 -v2 aes-256-cbc -in all.pem -out encrypted.pem -passout pass:key-pass
openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in all.pem -out pbes1.pem -passout pass:key-pass
cat client.pem ca.pem | tee -a encrypted.pem >>pbes1.pem
openssl pkcs8 -topk8 -nocrypt -in all.pem -out plain.pem
cat client.pem ca.pem >>plain.pem
rm all.pem client.pem server.pem ca.p12
chmod 644 ./*.pem ./*.p12 ./*.jks
