// Command salesforce is the Lambda function that delivers queued rows to Salesforce.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/salesforce"
)

func main() {
	h, err := salesforce.FromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, "start salesforce:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
