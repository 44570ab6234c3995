// Package state keeps syncs, connections, runs, batches, messages' records, marks,
// halts, due items and token buckets in the DynamoDB table "state". What the methods
// promise is written at the interfaces of the packages intake, deliver and runs of
// pipeline. The items:
//
//	SYNC#name / V#version       a definition             SYNCS / name          a sync that has one
//	SYNC#name / CURRENT         its applied version      SYNC#name / SEQ       its counter of batches
//	SYNC#name / RUN#run         a run                    SYNC#name / BEGUN#nanoseconds#run  the order of runs
//	SYNC#name / LATEST          the run begun last       LIVE / OPEN#run, ENDED#run  a run that goes on; whose last rows are counted
//	ALERT#name / BOOK              what people were told of a sync
//	SYNC#name / MARK#n#target#column  a watermark        SYNC#name / HALT#version
//	SYNC#name / PAUSE             a person's pause of it
//	AUDIT#day / nanoseconds#id  what somebody did
//	SYNC#name / FRESHNESS             how old its data at the destination is
//	SYNC#name / FIRED#nanoseconds     a due time of its schedule
//	SYNC#name / DUE#nanoseconds#id    a due item         CONN#name / SETTINGS  a connection and its pin
//	RUN#run#shard / BATCH#id    a batch                  RUN#run#shard / CHUNK#batch#index  a message's record
//	RUN#run#shard / SEEN#batch#part  keys that a mirror's full run saw
//	RUN#run#shard / LEFT#page   keys that it removes
//	RUN#run#shard / SAME#batch#index  keys that a message left unchanged
//	RUN#run#0 / GATE            what intake counted of a run for its quality gate
//	PACE#connection / STATE     its pause                PACE#bucket / BUCKET  tokens
//
// Batches and records have prefixes of their own, so that a sweep that counts both
// reads each once. All reads are strongly consistent. A body is JSON, a batch's packed; every item has
// the format number f, and none is over 100 KB.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

const (
	// format is the number that all items of this table bear.
	format = 1
	// keep is how long runs, batches, records and buckets stay after their last write.
	keep = 90 * 24 * time.Hour
	// parallel is how many requests one call makes at once.
	parallel = 16
)

// Config says which table, and what time it is.
type Config struct {
	Table string           // required: its name
	Now   func() time.Time // required: for the expiry of items
}

// A Store is the table.
type Store struct {
	db    *dynamodb.Client
	table *string
	now   func() time.Time

	buckets buckets
}

// New makes a Store; it calls nothing yet.
func New(cfg aws.Config, c Config) *Store {
	return &Store{db: attr.Client(cfg), table: aws.String(c.Table), now: c.Now}
}

func (s *Store) expiry() types.AttributeValue { return attr.N(s.now().Add(keep).Unix()) }

// item is a key with attributes and the format; expires_at unless it stays for ever.
func item(pk, sk string, fields attr.Item) attr.Item {
	all := attr.Key(pk, sk)
	all[attr.F] = attr.Format(format)
	maps.Copy(all, fields)
	return all
}

// nameOf names an item in errors; keys of this table hold no row value.
func nameOf(i attr.Item) string {
	return "the item " + attr.String(i[attr.PK]) + " / " + attr.String(i[attr.SK])
}

// get reads one item; run.ErrNotFound when there is none, run.ErrFormat.
func (s *Store) get(ctx context.Context, pk, sk string) (attr.Item, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: s.table, Key: attr.Key(pk, sk), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	if len(out.Item) == 0 {
		return nil, run.ErrNotFound
	}
	return out.Item, attr.Known(out.Item, format, nameOf(out.Item))
}

// getJSON reads the body of one item into to.
func (s *Store) getJSON(ctx context.Context, pk, sk string, to any) error {
	i, err := s.get(ctx, pk, sk)
	if err != nil {
		return err
	}
	return unmarshalBody(i, to)
}

// put stores an item where the condition holds. refused holds the item that it found
// false for, empty when there is none; the error is attr.Refused's.
func (s *Store) put(ctx context.Context, i attr.Item, condition string, values attr.Item) (refused attr.Item, err error) {
	if err := attr.Fits(i, nameOf(i)); err != nil {
		return nil, err
	}
	_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: s.table, Item: i, ConditionExpression: &condition, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	found, _ := attr.Refused(err)
	return found, err
}

// overwrite stores an item over whatever is there in this format; run.ErrFormat.
func (s *Store) overwrite(ctx context.Context, i attr.Item) error {
	found, err := s.put(ctx, i, anyway, attr.Item{":f": attr.Format(format)})
	if found != nil {
		return attr.Known(found, format, nameOf(i))
	}
	return err
}

const (
	absent       = "attribute_not_exists(pk)"
	anyway       = absent + " OR f = :f" // of this format
	sameRevision = "revision = :read"
)

// over is the condition that the stored revision is the one that was read, 0 when
// nothing was.
func over(read int64) (condition string, values attr.Item) {
	if read == 0 {
		return absent, nil
	}
	return sameRevision, attr.Item{":read": attr.N(read)}
}

// swap stores a body of revision read+1 over the one that was read; run.ErrConflict
// when another one is stored.
func (s *Store) swap(ctx context.Context, pk, sk string, read int64, content any, more attr.Item) error {
	i, err := revised(pk, sk, read, content, more)
	if err != nil {
		return err
	}
	condition, values := over(read)
	_, err = s.put(ctx, i, condition, values)
	if _, refused := attr.Refused(err); refused {
		return run.ErrConflict
	}
	return err
}

func revised(pk, sk string, read int64, content any, more attr.Item) (attr.Item, error) {
	text, err := body(content)
	i := item(pk, sk, more)
	i["body"], i["revision"] = text, attr.N(read+1)
	return i, err
}

// remove deletes an item, or nothing.
func (s *Store) remove(ctx context.Context, pk, sk string) error {
	_, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: s.table, Key: attr.Key(pk, sk)})
	return err
}

func body(v any) (types.AttributeValue, error) {
	b, err := json.Marshal(v)
	return attr.S(string(b)), err
}

// unmarshalBody reads an item's body.
func unmarshalBody(i attr.Item, to any) error { return unmarshal(i, "body", to) }

// unmarshal reads the JSON of an attribute. The error does not quote it (I6).
func unmarshal(i attr.Item, name string, to any) error {
	if err := json.Unmarshal([]byte(attr.String(i[name])), to); err != nil {
		return errors.New(nameOf(i) + " cannot be read: its " + name + " is damaged")
	}
	return nil
}

// number is a time as Unix nanoseconds in 20 digits, so that it sorts as text.
func number(t time.Time) string { return fmt.Sprintf("%020d", max(t.UnixNano(), 0)) }
