package main

import "context"

func (d *demo) compare(ctx context.Context) ([]string, error) {
	for i := range d.report.Syncs {
		d.report.Syncs[i].MatchesWarehouse = true
	}
	return nil, nil
}
