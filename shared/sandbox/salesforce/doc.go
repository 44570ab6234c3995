// Package salesforce simulates the part of Salesforce's REST API that Penstock
// uses, faithfully enough that code which works here works there: OAuth tokens
// (client credentials and JWT bearer), sObject Collections (upsert by external
// id, create, update, delete; 200 records, partial success), SOQL queries with
// paging, composite requests, describe, the daily API limit and its header, and
// the vendor's error bodies. It holds its records in memory, compactly, and in
// the Core's journal.
//
// What it does not do: triggers, validation rules, sharing, relationships,
// Bulk API, allOrNone: true. Sources: Salesforce "REST API Developer Guide"
// (sObject Collections, Composite, Status Codes and Error Responses), "SOQL and
// SOSL Reference", "Object Reference" (Account, Contact), "Salesforce Developer
// Limits and Allocations Quick Reference". Error texts that these do not print
// follow what client libraries' users report.
package salesforce
