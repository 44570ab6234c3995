// Package cardfile is a vendor that does not exist: a card file in the network,
// written as CONTRIBUTING says that a vendor is, so that a test goes the whole way
// with a destination type that no other package names. It is also the shortest
// whole vendor there is to read.
//
// Objects: card. A card has a key, which is compared without outer white space and
// case, and fields of any name. Limits: 50 cards a call, 100 calls a minute.
// Source: package sim, which stands in for the documentation.
//
// Files: kind.go says what a definition may hold, cardfile.go is the account and
// the destination, client.go makes the calls, encode.go writes and reads bodies,
// errors.go says what failed and whose it is.
package cardfile
