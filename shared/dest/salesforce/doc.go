// Package salesforce delivers records to Salesforce objects through sObject
// Collections: upsert by external id, update by Id and create, up to 200 records
// a call, never mixed in one. Records of the other matching strategies are looked
// up first, with SOQL in composite requests.
//
// Inputs are mapped records (package dest) and one connection's settings and
// secret; outcomes come back one per record, in order. The package decides
// nothing about retries, quotas or the ledger, and it does not use the Bulk API.
//
// Sources, by name: "REST API Developer Guide" (sObject Collections, Composite,
// Query, Status Codes and Error Responses), "SOQL and SOSL Reference" (quoted
// string escapes, LIKE), "Salesforce Developer Limits and Allocations Quick
// Reference" (100,000 calls a day, 25 subrequests of which 5 queries, 2,000 rows
// a page, 100,000 characters a query), "OAuth 2.0 Client Credentials Flow" and
// "OAuth 2.0 JWT Bearer Flow".
package salesforce
