// Command push is the Lambda function that takes rows from the warehouse and queues them.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/push"
)

func main() {
	h, err := push.FromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, "start push:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
