package state

import (
	"context"
	"fmt"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Versions are all versions of a sync that were ever applied.
func (s *Store) Versions(ctx context.Context, sync string) (all []syncdef.Version, err error) {
	err = s.query(ctx, span{pk: syncPK(sync), from: "V#", to: "V$"}, func(i attr.Item) error { // "$" is the character after "#"
		var v syncdef.Version
		if err := unmarshalBody(i, &v); err != nil {
			return err
		}
		all = append(all, v)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("versions of sync %q: %w", sync, err)
	}
	return all, nil
}
