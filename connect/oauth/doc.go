// Package oauth gets the tokens with which a Kafka client logs in (KIP-768): from the token endpoint of an OAuth 2
// provider with the credentials of a client, or from a file that another program keeps up to date.
//
// A Source keeps a token for as long as Java's refresh settings say, and goes on with it until it expires when no new one
// can be had. Promise 8: no error shows a token, a client secret, or an answer that may hold one.
package oauth
