// Package env says which environment variables each Lambda function reads, and
// reads them. It is the one place where their names stand: the wiring in
// shared/app loads them from here, and a test compares template.yaml with
// Functions and Worker, so that no function is deployed without a variable, or
// with one that it does not read. It constructs nothing and judges no value: what
// a table or a duration must look like is checked where it is used.
package env

import (
	"errors"
	"fmt"
	"strings"
)

// The variables. Tables are DynamoDB table names and queues are SQS queue URLs.
const (
	StateTable   = "PENSTOCK_STATE_TABLE"
	LedgerTable  = "PENSTOCK_LEDGER_TABLE"
	ErrorsTable  = "PENSTOCK_ERRORS_TABLE"
	SecretPrefix = "PENSTOCK_SECRET_PREFIX" // put before a connection's secret name, e.g. "penstock/"
	AlertFrom    = "PENSTOCK_ALERT_FROM"    // the sender of alerts by email, "none" without one
	Quiet        = "PENSTOCK_QUIET"         // how long an implicit run is silent before it is closed, e.g. "2m"
	Stack        = "PENSTOCK_STACK"         // the stack's name, for the commands that alerts quote
	Visibility   = "PENSTOCK_VISIBILITY"    // the visibility timeout of the worker's queue, e.g. "360s"
	// TokenAudience is for whom an ID token is made that the API takes, TokenEmails whose
	// tokens, TokenForwarders whose word about their users counts; with commas between,
	// "none" without any.
	TokenAudience   = "PENSTOCK_TOKEN_AUDIENCE"
	TokenEmails     = "PENSTOCK_TOKEN_EMAILS"
	TokenForwarders = "PENSTOCK_TOKEN_FORWARDERS"
	queuePrefix     = "PENSTOCK_QUEUE_" // and the destination type in capitals
)

// FunctionName is the variable in which Lambda gives every function its name (AWS
// documentation, "Defined runtime environment variables"). No template sets it.
const FunctionName = "AWS_LAMBDA_FUNCTION_NAME"

// QueueOf is the variable that holds the queue of a destination type.
func QueueOf(kind string) string { return queuePrefix + strings.ToUpper(kind) }

// Functions names, by folder below functions/, the variables that a function
// needs beside the queues; a worker's are Worker's. All of them must be set: there
// are no defaults, so that a variable that is misspelt in a template stops the
// function at its start.
var Functions = map[string][]string{
	"push":       {StateTable, ErrorsTable, LedgerTable},
	"control":    {StateTable, ErrorsTable, LedgerTable},
	"redshift":   {StateTable, ErrorsTable, LedgerTable},
	"sweep":      {StateTable, ErrorsTable, LedgerTable, Quiet, AlertFrom, SecretPrefix, Stack},
	"schedule":   {StateTable, SecretPrefix},
	"deadletter": {StateTable, ErrorsTable, LedgerTable},
	"authorizer": {TokenAudience, TokenEmails, TokenForwarders},
}

// AllQueues names the functions that send to the queues of all destination types,
// which they learn from their environment: they link no vendor.
var AllQueues = []string{"push", "control", "redshift", "sweep"}

// Worker names the variables of the worker of a destination type.
func Worker(kind string) []string {
	return []string{StateTable, LedgerTable, ErrorsTable, QueueOf(kind), SecretPrefix, Visibility}
}

// Load reads variables through lookup, which is os.LookupEnv or a test's map. A
// variable that is absent or empty is missing; the error names every missing one,
// and no map is returned with it.
func Load(function string, names []string, lookup func(string) (string, bool)) (map[string]string, error) {
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

// Queues reads the queues of all destination types out of an environment such as
// os.Environ's: URLs by type. There must be one at least.
func Queues(environ []string) (map[string]string, error) {
	urls := map[string]string{}
	for _, v := range environ {
		name, url, _ := strings.Cut(v, "=")
		if kind, ok := strings.CutPrefix(name, queuePrefix); ok && url != "" {
			urls[strings.ToLower(kind)] = url
		}
	}
	if len(urls) == 0 {
		return nil, fmt.Errorf("no %s... is set: template.yaml names the queue of each destination type under Environment", queuePrefix)
	}
	return urls, nil
}
