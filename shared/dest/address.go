package dest

import (
	"errors"

	"github.com/penstock-data/penstock/shared/netguard"
)

// Misdirected is what a call fails with that netguard.Transport did not make, because
// the connection leads to an address that none may lead to; nil for any other error.
// Nothing was sent, and a person must correct the url.
func Misdirected(op, connection string, err error) *CallError {
	refused, ok := errors.AsType[*netguard.Refused](err)
	if !ok {
		return nil
	}
	return &CallError{Op: op, Class: Configuration, Scope: ScopeConnection, Code: "address_refused", Message: "connection " + connection + ": " + refused.Error()}
}
