package syncdef

import (
	"math/big"
	"strconv"
	"strings"
)

// Mirror is what a mirror may remove.
type Mirror struct {
	// MaxDeletes bounds what one run may remove: a percentage of the records that the sync
	// wrote and that are there ("5%"), the same as a share ("0.05"), or a number of records ("200").
	MaxDeletes string `json:"max_deletes"`
}

// DefaultMaxDeletes is max_deletes where it is left out.
const DefaultMaxDeletes = "5%"

// MaxDeletesPattern is what max_deletes may be.
const MaxDeletesPattern = `(100(\.0{1,6})?|[0-9]{1,2}(\.[0-9]{1,6})?)%|0?\.[0-9]{1,6}|1\.0{1,6}|[0-9]{1,9}`

// Allowed is how many of so many records a run may remove; a part of one counts as none.
func (m *Mirror) Allowed(held int64) int64 {
	share, percent := strings.CutSuffix(m.MaxDeletes, "%")
	whole := int64(100)
	if !percent && strings.Contains(share, ".") {
		percent, whole = true, 1
	}
	if !percent {
		n, err := strconv.ParseInt(m.MaxDeletes, 10, 64)
		if err != nil || n < 0 {
			return 0
		}
		return n
	}
	part, ok := new(big.Rat).SetString(share)
	if !ok || part.Sign() < 0 {
		return 0
	}
	part.Mul(part, big.NewRat(held, whole))
	return new(big.Int).Quo(part.Num(), part.Denom()).Int64()
}

// Carries are the operations that a file may name for the type: mirror too where it
// upserts and can remove.
func (k Kind) Carries() []Operation {
	all := append([]Operation(nil), k.Operations...)
	for _, op := range k.Operations {
		if op == Upsert && len(k.Removals) > 0 {
			return append(all, Mirroring)
		}
	}
	return all
}
