// Command authorizer is the Lambda function that verifies the Google ID tokens of requests.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/authorizer"
)

func main() {
	h, err := authorizer.FromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, "start authorizer:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
