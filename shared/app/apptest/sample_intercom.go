package apptest

// pushIntercom is the sample push-intercom: the health of two people.
func pushIntercom() []byte {
	const query = "01b1a2c3-0604-8f1e-0000-00000000000a"
	return Request("push", query, query+":1:1:0:0",
		[]string{`"intercom_health"`, `{"CUSTOM_ATTRIBUTES":{"account_value":"12500","health_percentage":85,"risk_level":"LOW_RISK","training_completed":true},"HEALTH_SCORE_DECIMAL":0.8547,"RISK_CATEGORY":"low_risk","USER_EMAIL":"john@acmecorp.com","USER_TAGS":["health_score_high","risk_low_risk","high_value"]}`},
		[]string{`"intercom_health"`, `{"CUSTOM_ATTRIBUTES":{"account_value":null,"health_percentage":40,"risk_level":"HIGH_RISK","training_completed":false},"HEALTH_SCORE_DECIMAL":0.4,"RISK_CATEGORY":"high_risk","USER_EMAIL":"mike@enterprise.com","USER_TAGS":["health_score_low","risk_high_risk","standard_value"]}`},
	)
}
