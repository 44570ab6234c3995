//go:build !unix

package cli

// ownerOnly does nothing: the folder's own rights decide.
func ownerOnly() {}
