// Command redshift is the Lambda function that the UDFs of Amazon Redshift invoke.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/redshift"
)

func main() {
	h, err := redshift.FromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, "start redshift:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
