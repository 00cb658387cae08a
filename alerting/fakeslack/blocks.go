package fakeslack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// Block Kit's limits (docs.slack.dev, Block Kit reference), in UTF-16 units.
const (
	maxBlocks   = 50
	maxHeader   = 150
	maxSection  = 3000
	maxField    = 2000
	maxFields   = 10
	maxContext  = 10
	maxActions  = 25
	maxButton   = 75
	maxOption   = 75
	maxOptions  = 100
	maxOverflow = 5
	maxChoice   = 150
	maxHint     = 150
	maxConfirm  = 300
	maxCaption  = 100
	maxAnswer   = 30
	maxID       = 255
	maxValue    = 2000
	maxURL      = 3000
	maxAltText  = 2000
	maxElements = 100
)

type textObject struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Emoji    *bool  `json:"emoji"`
	Verbatim *bool  `json:"verbatim"`
}

type block struct {
	Type     string            `json:"type"`
	BlockID  string            `json:"block_id"`
	Text     *textObject       `json:"text"`
	Fields   []textObject      `json:"fields"`
	Elements []json.RawMessage `json:"elements"`
	// Accessory stands beside the text of a section.
	Accessory json.RawMessage `json:"accessory"`
	AltText   string          `json:"alt_text"`
	ImageURL  string          `json:"image_url"`
	File      json.RawMessage `json:"slack_file"`
}

// texts lists all text objects of a block.
func (b block) texts() []textObject {
	var all []textObject
	if b.Text != nil {
		all = append(all, *b.Text)
	}
	all = append(all, b.Fields...)
	for _, raw := range b.Elements {
		var t textObject
		if json.Unmarshal(raw, &t) == nil && t.Text != "" {
			all = append(all, t)
		}
		all = append(all, elementTexts(raw)...)
	}
	return append(all, elementTexts(b.Accessory)...)
}

// properties are those that each type of block may have; Slack refuses others.
var properties = map[string][]string{
	"actions":   {"type", "block_id", "elements"},
	"context":   {"type", "block_id", "elements"},
	"divider":   {"type", "block_id"},
	"header":    {"type", "block_id", "text", "level"},
	"image":     {"type", "block_id", "alt_text", "image_url", "slack_file", "title"},
	"rich_text": {"type", "block_id", "elements"},
	"section":   {"type", "block_id", "text", "fields", "accessory", "expand"},
}

// checker collects what is wrong, each with a pointer to where.
type checker struct{ problems []string }

func (c *checker) add(pointer, format string, a ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, a...)+" [json-pointer:"+pointer+"]")
}

// checkBlocks validates the blocks of a message as strictly as Slack; it returns
// the refusal, or nil.
func checkBlocks(text string) map[string]any {
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return refuse("invalid_blocks_format")
	}
	var c checker
	if len(raw) > maxBlocks {
		c.add("/blocks", "no more than %d items allowed", maxBlocks)
	}
	ids := map[string]bool{}
	for i, r := range raw {
		c.block(fmt.Sprintf("/blocks/%d", i), r, ids)
	}
	if len(c.problems) > 0 {
		messages := make([]string, len(c.problems))
		for i, p := range c.problems {
			messages[i] = "[ERROR] " + p
		}
		return map[string]any{"ok": false, "error": "invalid_blocks", "errors": c.problems, "response_metadata": map[string]any{"messages": messages}}
	}
	var compact bytes.Buffer
	encoder := json.NewEncoder(&compact)
	encoder.SetEscapeHTML(false)
	var all any
	if err := json.Unmarshal([]byte(text), &all); err != nil || encoder.Encode(all) != nil || length(compact.String()) > maxBlocksSize {
		return refuse("msg_blocks_too_long")
	}
	return nil
}

// only refuses properties that an object may not have.
func (c *checker) only(at string, names map[string]json.RawMessage, allowed []string) {
	for name := range names {
		if !slices.Contains(allowed, name) {
			c.add(at+"/"+name, "invalid additional property: %s", name)
		}
	}
}

func (c *checker) block(at string, raw json.RawMessage, ids map[string]bool) {
	var names map[string]json.RawMessage
	var b block
	if json.Unmarshal(raw, &names) != nil || json.Unmarshal(raw, &b) != nil {
		c.add(at, "must be a block object")
		return
	}
	allowed, known := properties[b.Type]
	if !known {
		c.add(at+"/type", "unsupported type: %s", b.Type)
		return
	}
	c.only(at, names, allowed)
	if b.BlockID != "" {
		c.most(at+"/block_id", b.BlockID, maxID)
		if ids[b.BlockID] {
			c.add(at+"/block_id", "block_id must be unique")
		}
		ids[b.BlockID] = true
	}
	switch b.Type {
	case "header":
		if b.Text == nil {
			c.add(at, "missing required field: text")
			break
		}
		if b.Text.Type != "plain_text" {
			c.add(at+"/text/type", "must be one of the following values: plain_text")
		}
		c.text(at+"/text", *b.Text, maxHeader)
	case "section":
		c.section(at, b)
	case "context":
		c.count(at+"/elements", len(b.Elements), maxContext)
		for i, e := range b.Elements {
			c.contextElement(fmt.Sprintf("%s/elements/%d", at, i), e)
		}
	case "actions":
		c.count(at+"/elements", len(b.Elements), maxActions)
		ids := map[string]bool{}
		for i, e := range b.Elements {
			c.element(fmt.Sprintf("%s/elements/%d", at, i), e, ids)
		}
	case "rich_text":
		c.count(at+"/elements", len(b.Elements), maxElements)
	case "image":
		c.image(at, b)
	}
}

func (c *checker) section(at string, b block) {
	if b.Text == nil && len(b.Fields) == 0 {
		c.add(at, "must define either `text` or `fields`")
	}
	if b.Text != nil {
		c.text(at+"/text", *b.Text, maxSection)
	}
	if len(b.Fields) > maxFields {
		c.add(at+"/fields", "no more than %d items allowed", maxFields)
	}
	for i, f := range b.Fields {
		c.text(fmt.Sprintf("%s/fields/%d", at, i), f, maxField)
	}
	if len(b.Accessory) > 0 {
		c.accessory(at+"/accessory", b.Accessory)
	}
}

func (c *checker) contextElement(at string, raw json.RawMessage) {
	var t textObject
	if json.Unmarshal(raw, &t) != nil {
		c.add(at, "must be a text or image object")
		return
	}
	if t.Type == "image" {
		var b block
		_ = json.Unmarshal(raw, &b)
		c.image(at, b)
		return
	}
	c.text(at, t, maxSection)
}

func (c *checker) image(at string, b block) {
	if b.AltText == "" {
		c.add(at, "missing required field: alt_text")
	}
	c.most(at+"/alt_text", b.AltText, maxAltText)
	if b.ImageURL == "" && len(b.File) == 0 {
		c.add(at, "must define either `image_url` or `slack_file`")
	}
	c.most(at+"/image_url", b.ImageURL, maxURL)
}

func (c *checker) text(at string, t textObject, limit int) {
	switch {
	case t.Type != "plain_text" && t.Type != "mrkdwn":
		c.add(at+"/type", "must be one of the following values: plain_text, mrkdwn")
	case t.Type == "mrkdwn" && t.Emoji != nil:
		c.add(at+"/emoji", "invalid additional property: emoji")
	case t.Type == "plain_text" && t.Verbatim != nil:
		c.add(at+"/verbatim", "invalid additional property: verbatim")
	}
	if strings.TrimSpace(t.Text) == "" {
		c.add(at+"/text", "must be more than 0 characters")
	}
	c.most(at+"/text", t.Text, limit)
}

func (c *checker) most(at, s string, limit int) {
	if length(s) > limit {
		c.add(at, "must be less than %d characters", limit+1)
	}
}

func (c *checker) count(at string, n, limit int) {
	switch {
	case n == 0:
		c.add(at, "must be more than 0 items")
	case n > limit:
		c.add(at, "no more than %d items allowed", limit)
	}
}

func length(s string) int { return len(utf16.Encode([]rune(s))) }
