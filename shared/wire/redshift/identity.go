package redshift

import (
	"encoding/hex"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/wire"
)

// function tells what is called by the name that the function was given: any schema
// and database before it, any case, and the f_ before it that Redshift's documentation
// recommends for functions of one's own.
func function(body []byte) (*wire.Function, bool) {
	name, _ := rawjson.Text(rawjson.Get(body, "external_function"))
	name, _, _ = strings.Cut(name, "(")
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	name = strings.ToLower(strings.Trim(name, `" `))
	if rest, ok := strings.CutPrefix(name, "f_"); ok && strings.HasPrefix(rest, "penstock_") {
		name = rest
	}
	return wire.Lookup(name)
}

// known reports whether the query's id is one. A query that runs on the leader node
// alone has been seen with the number 0 in Redshift's own messages, which would make
// one query of all of them.
func (h *head) known() bool {
	return strings.Trim(h.query, "0123456789") == "" && strings.Trim(h.query, "0") != ""
}

// same is the batch's other identity: what is the same when Redshift sends a batch again
// under another request id, of which its documentation says nothing. Two parts of a
// query whose rows are equal, in number and order, have it in common as well: they are
// one record each (every row has a key, and equal rows have equal keys), so that nothing
// is lost by queueing one of them, and intake counts both.
//
// A hash of 128 bits of what the caller itself sent: whoever made two requests collide
// would only harm a query of his own.
func (h *head) same(f *wire.Function) string {
	sum := xxh3.Hash128(h.arguments).Bytes()
	return strings.Join([]string{h.cluster, h.database, h.query, f.Name, hex.EncodeToString(sum[:])}, "\x00")
}
