package syncdef

// A Stored is a connection as it is kept, apart from versions: its settings, read
// again after 60 s and after any failure, and which account it is.
type Stored struct {
	Connection Connection `json:"connection"`
	// Account is what the vendor said at the connection's first delivery; "" before,
	// and where the vendor cannot tell.
	Account string `json:"account,omitempty"`
	// Epoch grows when another account is accepted, or the type is another. It is part of every target.
	Epoch int64 `json:"epoch,omitempty"`
}
