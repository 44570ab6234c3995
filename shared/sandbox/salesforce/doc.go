// Package salesforce simulates the part of Salesforce's REST API that Penstock
// uses, and what public client libraries need beside it (single records by Id and by
// external id, retrieval of several, limits, the list of objects), faithfully enough
// that code which works here works there: OAuth tokens for
// an External Client App (client credentials and JWT bearer), the organisation's
// id, versions, sObject Collections (upsert by external id, create, update, delete;
// 200 records, partial success), SOQL queries with paging, composite requests,
// describe, the daily API limit and its header, duplicate rules, and the vendor's
// error bodies. Its records lie in a store of package records.
//
// It is never kinder than the vendor. Where the documentation is silent it takes
// the harsher reading, and says so where it does: all records of a call that share
// a key fail, a checkbox takes no null, dates out of range are the record's fault, and a
// query compares a field of type int with what such a field can hold alone.
//
// What it does not do: triggers, validation rules, sharing, relationships,
// Bulk API, allOrNone: true. Sources: Salesforce "REST API Developer Guide"
// (sObject Collections, Composite, Status Codes and Error Responses, API
// End-of-Life, Duplicate Rule Header), "SOQL and SOSL Reference", "Object
// Reference" (Account, Contact), "Salesforce Developer Limits and Allocations Quick
// Reference". Error texts that these do not print follow what client libraries'
// users report.
//
// Single records are refused by a fault that names them (their Id, or a value that
// the call sends):
//
//	{"fail_records":["0015g0000000001AAA"],"code":"INSUFFICIENT_ACCESS_OR_READONLY","count":-1}
//	{"fail_records":["customer-17"],"code":"UNABLE_TO_LOCK_ROW"}
//
// PUT /_sandbox/duplicate_rules with [{"object":"Account","field":"Name"}] switches
// duplicate rules on, with [] off.
package salesforce
