// Package ssl turns the ssl.* keys of Kafka configurations into TLS configurations of Go: for clients that reach
// brokers or a token endpoint, and for the https listeners of a worker.
//
// Stores are files of type JKS or PKCS12, of which either may be declared as the other, as Java has it, and PEM texts, in
// a file or in the configuration itself. A store is read once: a changed file counts from the next client, or the next
// start of the worker, on.
//
// Promise 9: a value that cannot be done is an error that names key and remedy. Promise 8: no error shows a password or a
// part of a key.
package ssl
