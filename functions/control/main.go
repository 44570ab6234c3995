// Command control is the Lambda function that begins, finishes and reports on runs.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/control"
)

func main() {
	h, err := control.FromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, "start control:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
