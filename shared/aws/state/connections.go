package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A connection's item holds its settings as body and, apart from them, the pin:
// account, absent while none is pinned, and epoch.
func connectionKey(name string) attr.Item { return attr.Key("CONN#"+name, "SETTINGS") }

// Connection is the stored settings and the account's pin; run.ErrNotFound.
func (s *Store) Connection(ctx context.Context, name string) (syncdef.Stored, error) {
	i, err := s.get(ctx, "CONN#"+name, "SETTINGS")
	var stored syncdef.Stored
	if err == nil {
		stored, err = readConnection(i)
	}
	if err != nil {
		return syncdef.Stored{}, fmt.Errorf("connection %q: %w", name, err)
	}
	return stored, nil
}

func readConnection(i attr.Item) (syncdef.Stored, error) {
	stored := syncdef.Stored{Account: attr.String(i["account"]), Epoch: attr.Int(i["epoch"])}
	if err := attr.Known(i, format, nameOf(i)); err != nil {
		return stored, err
	}
	return stored, unmarshalBody(i, &stored.Connection)
}

// PutConnection stores settings and keeps the pin. Settings of another type are of another
// account: they pin whichever comes next, and raise the epoch.
func (s *Store) PutConnection(ctx context.Context, c syncdef.Connection) error {
	content, err := body(c)
	if err == nil {
		err = s.putConnection(ctx, c, content)
	}
	if err != nil {
		return fmt.Errorf("store connection %q: %w", c.Name, err)
	}
	return nil
}

// putConnection stores settings over those that it read, and reads again where others were
// stored meanwhile: whether the type is another is judged of what is replaced.
func (s *Store) putConnection(ctx context.Context, c syncdef.Connection, content types.AttributeValue) error {
	for attempt := 1; attempt <= races; attempt++ {
		update, condition, values := "SET f = :f, body = :body", absent, attr.Item{":body": content, ":f": attr.Format(format)}
		i, err := s.get(ctx, "CONN#"+c.Name, "SETTINGS")
		if err != nil && !errors.Is(err, run.ErrNotFound) {
			return err
		}
		if err == nil {
			was, err := readConnection(i)
			if err != nil {
				return err
			}
			condition, values[":was"] = "f = :f AND body = :was", i["body"]
			if was.Connection.Type != c.Type {
				update, values[":one"] = update+" REMOVE account ADD epoch :one", attr.N(1)
			}
		}
		_, err = s.updateConnection(ctx, c.Name, update, condition, values)
		if _, other := attr.Refused(err); !other {
			return err
		}
		if err := attr.Backoff(ctx, attempt); err != nil {
			return err
		}
	}
	return run.ErrConflict
}

// PinAccount stores which account the connection is, unless one is stored, and
// returns what is; run.ErrNotFound without the connection.
func (s *Store) PinAccount(ctx context.Context, name, account string) (syncdef.Stored, error) {
	if account == "" {
		return s.Connection(ctx, name)
	}
	return s.pin(ctx, name, "SET account = :account", "attribute_exists(pk) AND attribute_not_exists(account)",
		attr.Item{":account": attr.S(account)})
}

// AcceptAccount pins another account, "" for whichever comes next, and raises the
// epoch; run.ErrNotFound without the connection. The SDK may repeat the call when an
// answer is lost: an epoch that is raised twice is as new as one that is raised once.
func (s *Store) AcceptAccount(ctx context.Context, name, account string) (syncdef.Stored, error) {
	update, values := "REMOVE account ADD epoch :one", attr.Item{":one": attr.N(1)}
	if account != "" {
		update, values[":account"] = "SET account = :account ADD epoch :one", attr.S(account)
	}
	return s.pin(ctx, name, update, "attribute_exists(pk)", values)
}

// pin changes the pin; where the condition is false it returns what is stored.
func (s *Store) pin(ctx context.Context, name, update, condition string, values attr.Item) (stored syncdef.Stored, err error) {
	values[":f"] = attr.Format(format)
	now, err := s.updateConnection(ctx, name, update, condition+" AND f = :f", values)
	if found, other := attr.Refused(err); other {
		if now, err = found, nil; len(found) == 0 {
			err = run.ErrNotFound
		}
	}
	if err == nil {
		stored, err = readConnection(now)
	}
	if err != nil {
		return syncdef.Stored{}, fmt.Errorf("pin the account of connection %q: %w", name, err)
	}
	return stored, nil
}

func (s *Store) updateConnection(ctx context.Context, name, update, condition string, values attr.Item) (attr.Item, error) {
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: connectionKey(name), UpdateExpression: &update,
		ConditionExpression: &condition, ExpressionAttributeValues: values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

// Pace is the connection's state; the zero State when nothing is stored.
func (s *Store) Pace(ctx context.Context, connection string) (state pace.State, err error) {
	err = s.getJSON(ctx, "PACE#"+connection, "STATE", &state)
	if err != nil && !errors.Is(err, run.ErrNotFound) {
		return pace.State{}, fmt.Errorf("state of connection %q: %w", connection, err)
	}
	return state, nil
}

// SetPace stores a state over the one with its Revision, with Revision+1;
// run.ErrConflict when another one is stored.
func (s *Store) SetPace(ctx context.Context, connection string, state pace.State) error {
	read := state.Revision
	state.Revision++
	if err := s.swap(ctx, "PACE#"+connection, "STATE", read, state, nil); err != nil {
		return fmt.Errorf("state of connection %q: %w", connection, err)
	}
	return nil
}
