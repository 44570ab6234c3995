// Command deadletter is the Lambda function that turns what could not be processed into stored errors.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/deadletter"
)

func main() {
	h, err := deadletter.FromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, "start deadletter:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
