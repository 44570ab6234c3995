// Package netguard decides about the network by addresses and names alone: which
// requests a server on one machine answers (Door), and which addresses a destination's
// client may call (Transport). It knows no protocol beyond HTTP, and no vendor.
package netguard
