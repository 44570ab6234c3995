package ledger

import (
	"context"
	"fmt"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/ledger"
)

// Places reads the entries that exist among these, at most 100 of any targets, in one
// request.
func (s *Store) Places(ctx context.Context, places []ledger.Place) (map[ledger.Place]ledger.Entry, error) {
	wanted := make(map[[2]string]ledger.Place, len(places)) // BatchGetItem refuses repeated keys
	var asked []attr.Item
	for _, p := range places {
		pk, sk := partition(p.Target, p.Key), sortKey(p.Key)
		if _, twice := wanted[[2]string{pk, sk}]; !twice {
			wanted[[2]string{pk, sk}] = p
			asked = append(asked, attr.Key(pk, sk))
		}
	}
	found := make(map[ledger.Place]ledger.Entry, len(asked))
	if len(asked) == 0 {
		return found, nil
	}
	items, err := attr.GetAll(ctx, s.db, *s.table, asked)
	if err != nil {
		return nil, fmt.Errorf("read %d ledger entries: %w", len(places), err)
	}
	for _, i := range items {
		p := wanted[[2]string{attr.String(i[attr.PK]), attr.String(i[attr.SK])}]
		e, err := readItem(p.Key, i)
		if err != nil {
			return nil, fmt.Errorf("read a ledger entry of %s: %w", p.Target, err)
		}
		found[p] = e
	}
	return found, nil
}
