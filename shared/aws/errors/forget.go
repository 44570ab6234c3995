package errors

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/run"
)

// ForgetErrors deletes errors with their sources; what is not there is no error. The
// lists by time keep their entries, which hold no value, until they expire.
func (s *Store) ForgetErrors(ctx context.Context, refs []string) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, ref := range refs {
		runID, batch, row, err := run.ParseRef(ref)
		if err != nil {
			return fmt.Errorf("forget an error: %w", err)
		}
		g.Go(func() error {
			_, err := s.db.DeleteItem(gctx, &dynamodb.DeleteItemInput{TableName: s.table, Key: key(runID, batch, row)})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("forget %d errors: %w", len(refs), err)
	}
	return nil
}
