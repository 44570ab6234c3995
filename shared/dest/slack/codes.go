package slack

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
)

// A remedy is what an error code of Slack's means and what to do about it.
type remedy struct {
	kind kind
	text string
}

const (
	newToken = "store a valid bot token (xoxb-...) of the app under the key token of the connection's secret"
	askAdmin = "ask an administrator of the workspace to allow it"
)

const (
	oddMessage = "Slack refuses this message: look the code up in Slack's documentation of chat.postMessage"
	sharing    = "the channel is shared with another organisation, and an administrator has forbidden to share there what the message links to: leave the link out, or "
	badMeta    = "Slack cannot take the record id into the message's metadata: write it in another way"
	retired    = "Slack has retired what Penstock calls: install a newer version of Penstock"
)

// missingScope is the code of a call that the app lacks a scope for.
const missingScope = "missing_scope"

// remedies are Slack's codes, from the pages of chat.postMessage,
// conversations.history and conversations.list. Codes that say that the operation
// may have been carried out in part are lost: a lookup settles them. Left out are those
// of a request's form (invalid_form_data, missing_post_type): they do not tell whose they
// are, a message's or everybody's, so that it is found out as for a code that is not known.
var remedies = map[string]remedy{
	"ratelimited":            {throttled, "Slack asks to slow down"},
	"rate_limited":           {throttled, "Slack asks to slow down"},
	"message_limit_exceeded": {allowance, "the workspace sends more messages than its plan allows"},

	"internal_error": {lost, "Slack failed in the middle of the request"},
	"fatal_error":    {lost, "Slack failed in the middle of the request"},

	"request_timeout": {lost, "Slack received the request cut off"},

	"service_unavailable": {unavailable, "Slack is unavailable"},
	"team_added_to_org":   {unavailable, "the workspace is being moved into an organisation"},

	"invalid_auth":           {configuration, "Slack refuses the token, or calls from this network: " + newToken},
	"not_authed":             {configuration, "Slack saw no token: " + newToken},
	"account_inactive":       {configuration, "the token's app or workspace was removed: " + newToken},
	"token_revoked":          {configuration, "the token was revoked: install the app again and " + newToken},
	"token_expired":          {configuration, "the token has expired: " + newToken},
	"not_allowed_token_type": {configuration, "this is not a bot token: " + newToken},
	missingScope:             {configuration, "the app lacks a scope: add it under OAuth & Permissions and install the app again"},
	"access_denied":          {configuration, "access is denied: " + askAdmin},
	"accesslimited":          {configuration, "the network is not allowed to call Slack: " + askAdmin},
	"app_access_restricted":  {configuration, "the app may not be used: " + askAdmin},
	"org_login_required":     {configuration, "the workspace is being moved into an organisation: " + askAdmin},
	"team_access_not_granted": {configuration,
		"the app is not installed in this workspace: " + askAdmin},
	"two_factor_setup_required":      {configuration, "the token's user has to set up two-factor authentication: " + askAdmin},
	"enterprise_is_restricted":       {configuration, "the app may not post from an organisation: " + askAdmin},
	"as_user_not_supported":          {configuration, "this is not a bot token: " + newToken},
	"deprecated_endpoint":            {configuration, retired},
	"method_deprecated":              {configuration, retired},
	"unknown_method":                 {configuration, "the address does not know Slack's methods: check the connection's url"},
	"metadata_must_be_sent_from_app": {configuration, "this token cannot send metadata: " + newToken},

	"channel_not_found":                     {badChannel, "there is no such channel, or it is private and the bot is not in it: check the name, or invite the bot to the channel: /invite @penstock"},
	"not_in_channel":                        {badChannel, "the bot is not in the channel: invite the bot to the channel: /invite @penstock"},
	"no_permission":                         {badChannel, "the token may not post there: give the app the scope chat:write, and invite the bot to the channel: /invite @penstock"},
	"is_archived":                           {badChannel, "the channel is archived: restore it, or name another one"},
	"team_not_found":                        {badChannel, "with a token for a whole organisation a channel is given by its id"},
	"restricted_action":                     {badChannel, "the bot may not post there: " + askAdmin},
	"restricted_action_read_only_channel":   {badChannel, "the channel is read-only: " + askAdmin},
	"restricted_action_thread_only_channel": {badChannel, "the channel takes replies only: name another one"},
	"ekm_access_denied":                     {badChannel, "an administrator has suspended posting there: " + askAdmin},
	"messages_tab_disabled":                 {badChannel, "the app's messages tab is switched off: switch it on under App Home"},

	"user_not_a_channel": {badChannel, "what was sent to a person cannot be looked for: name a channel"},

	"msg_too_long":       {badRecord, "the message is too long: shorten it in the model, or set slack: {on_too_long: truncate}"},
	"no_text":            {badRecord, "the message has no text: give the row a text, or leave it out of the model"},
	"metadata_too_large": {badRecord, "the record id is too long for Slack's metadata: shorten it"},

	"invalid_metadata_format": {badRecord, badMeta},
	"invalid_metadata_schema": {badRecord, badMeta},

	"slack_connect_canvas_sharing_blocked":    {badRecord, sharing + askAdmin},
	"slack_connect_file_link_sharing_blocked": {badRecord, sharing + askAdmin},
	"slack_connect_lists_sharing_blocked":     {badRecord, sharing + askAdmin},

	"attachment_payload_limit_exceeded":        {badRecord, oddMessage},
	"cannot_reply_to_message":                  {badRecord, oddMessage},
	"draft_already_deleted":                    {badRecord, oddMessage},
	"draft_already_sent":                       {badRecord, oddMessage},
	"draft_has_conflict":                       {badRecord, oddMessage},
	"draft_not_found":                          {badRecord, oddMessage},
	"duplicate_channel_not_found":              {badRecord, oddMessage},
	"duplicate_message_not_found":              {badRecord, oddMessage},
	"invalid_arguments":                        {badRecord, oddMessage},
	"invalid_blocks":                           {badRecord, oddMessage},
	"invalid_blocks_format":                    {badRecord, oddMessage},
	"markdown_text_conflict":                   {badRecord, oddMessage},
	"missing_file_data":                        {badRecord, oddMessage},
	"msg_blocks_too_long":                      {badRecord, oddMessage},
	"restricted_action_non_threadable_channel": {badRecord, oddMessage},
	"restricted_action_thread_locked":          {badRecord, oddMessage},
	"too_many_attachments":                     {badRecord, oddMessage},
	"too_many_contact_cards":                   {badRecord, oddMessage},
}

// judgeCode classes an answer with "ok": false. A code that is not listed is the
// message's fault, while there are few: Slack has answered, and has not sent it.
func (a *account) judgeCode(e *refusedError) verdict {
	code := dest.ErrorCode(e.code)
	r, known := remedies[code]
	if !known {
		return verdict{strange, code, fmt.Sprintf("Slack refuses the message: %s", code), 0}
	}
	v := verdict{r.kind, code, fmt.Sprintf("%s (%s)", r.text, code), e.after}
	if code == missingScope && plainScope.MatchString(e.needed) {
		v.message = fmt.Sprintf("the app lacks the scope %s: add it under OAuth & Permissions and install the app again (%s)", e.needed, code)
	}
	if r.kind == configuration && strings.Contains(r.text, newToken) || code == missingScope {
		a.client.forget() // a person will replace it
	}
	return v
}

// plainScope is what scopes look like, several of them with commas.
var plainScope = regexp.MustCompile(`^[a-z][a-z.:,_]{0,199}$`)
