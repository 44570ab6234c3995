// Package env says which environment variables each Lambda function reads, and
// reads them. It is the one place where their names stand: the wiring in
// shared/app loads them from here, and a test compares template.yaml with
// Functions, so that no function is deployed without a variable, or with one
// that it does not read. It constructs nothing and judges no value: what a
// table or a duration must look like is checked where it is used.
package env

import (
	"errors"
	"fmt"
)

// The variables. Tables are DynamoDB table names and queues are SQS queue URLs.
const (
	StateTable      = "PENSTOCK_STATE_TABLE"
	LedgerTable     = "PENSTOCK_LEDGER_TABLE"
	ErrorsTable     = "PENSTOCK_ERRORS_TABLE"
	QueueSalesforce = "PENSTOCK_QUEUE_SALESFORCE"
	QueueSlack      = "PENSTOCK_QUEUE_SLACK"
	SecretPrefix    = "PENSTOCK_SECRET_PREFIX" // put before a connection's secret name, e.g. "penstock/"
	Quiet           = "PENSTOCK_QUIET"         // how long an implicit run is silent before it is closed, e.g. "2m"
)

// Functions names, by folder below functions/, the variables that a function
// needs. All of them must be set: there are no defaults, so that a variable
// that is misspelt in a template stops the function at its start.
var Functions = map[string][]string{
	"push":       {StateTable, ErrorsTable, QueueSalesforce, QueueSlack},
	"control":    {StateTable, ErrorsTable},
	"sweep":      {StateTable, Quiet},
	"deadletter": {StateTable, ErrorsTable, LedgerTable},
	"salesforce": {StateTable, LedgerTable, ErrorsTable, QueueSalesforce, SecretPrefix},
	"slack":      {StateTable, LedgerTable, ErrorsTable, QueueSlack, SecretPrefix},
}

// Load reads the variables of a function through lookup, which is os.LookupEnv
// or a test's map. A variable that is absent or empty is missing; the error
// names every missing one, and no map is returned with it.
func Load(function string, lookup func(string) (string, bool)) (map[string]string, error) {
	names, ok := Functions[function]
	if !ok {
		return nil, fmt.Errorf("load environment of function %q: no such function in env.Functions", function)
	}
	values := make(map[string]string, len(names))
	var missing []error
	for _, name := range names {
		value, ok := lookup(name)
		if !ok || value == "" {
			missing = append(missing, fmt.Errorf("%s is not set", name))
			continue
		}
		values[name] = value
	}
	if missing != nil {
		return nil, fmt.Errorf("load environment of function %q (template.yaml sets it under Environment): %w", function, errors.Join(missing...))
	}
	return values, nil
}
