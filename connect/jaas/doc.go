// Package jaas reads the configuration of Java's login modules, in the two forms in which Kafka users have it: the one
// login of a client's sasl.jaas.config, and a file with named sections, which a JVM is told of by its system property
// java.security.auth.login.config.
//
// It knows no module: who asks for a login says which modules it can do. It does no I/O.
//
// Promise 8: no error shows a part of the text, because a misplaced quote makes any part of it a part of a password.
package jaas
