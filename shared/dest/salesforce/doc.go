// Package salesforce delivers records to Salesforce objects through sObject
// Collections: upsert by external id, update by Id and create, up to 200 records
// a call, never mixed in one. Records of the other matching strategies are looked
// up first, with SOQL in composite requests.
//
// An insert whose answer was lost is looked for by its match before it is sent again. What
// was created since it was tried is the row's; what was there before is another's and stays
// as it is. Where that cannot be told (created in the 5 minutes before, several since, or a
// row that writes CreatedDate) the row is the error unknown.
//
// Vendor is all of it as one value. Its account is one organisation: login, HTTP
// client, meter and limits, shared by the versions that are open at it. Inputs are
// mapped records (package dest); outcomes come back one per record, in order. The
// package decides nothing about retries, quotas or the ledger (a login after a
// session that ended is its only repetition), and it does not use the Bulk API.
//
// A delete names Ids alone, of any object: an Id that a row names is held against how the
// object's Ids begin (keyPrefix of describe), and another object's is refused.
//
// Before the first row penstock validate --connection holds a definition against the
// object's describe, which shows what the integration user may see: objects and
// fields, who may create and change them, types, lengths, digits, active picklist
// values, external ids, and what a new record must have. An object or field that the
// user may not see is one that there is not. penstock fields lists them.
//
// Files: kind.go, check.go and rules.go are what definitions may say and how keys
// are compared; client.go and login.go make HTTP calls; encode.go, questions.go
// and soql.go write what is sent, decode.go, composite.go and pages.go read what
// comes back; errors.go, codes.go and outcomes.go say what failed and whose it is;
// describe.go and inspect.go read the metadata.
//
// Sources, by name: "REST API Developer Guide" (sObject Collections, Composite,
// Query, Duplicate Rule Header, Resources by Version, Status Codes and Error
// Responses), "SOQL and SOSL Reference" (comparison operators, quoted string
// escapes, LIKE), "Salesforce Developer Limits and Allocations Quick Reference"
// (100,000 calls a day, 25 subrequests of which 5 queries, 2,000 rows a page,
// 100,000 characters a query, 4,000 a string), "SOAP API Developer Guide"
// (ExceptionCode, StatusCode), "OAuth 2.0 Client Credentials Flow" and "OAuth 2.0
// JWT Bearer Flow".
package salesforce
