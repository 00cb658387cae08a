package fakeslack

import (
	"encoding/json"
	"fmt"
	"slices"
)

// element is one thing in a message that a person can use.
type element struct {
	Type        string          `json:"type"`
	Text        *textObject     `json:"text"`
	ActionID    string          `json:"action_id"`
	Value       string          `json:"value"`
	URL         string          `json:"url"`
	Style       string          `json:"style"`
	Placeholder *textObject     `json:"placeholder"`
	Options     []option        `json:"options"`
	Initial     *option         `json:"initial_option"`
	Confirm     *confirm        `json:"confirm"`
	Label       string          `json:"accessibility_label"`
	Groups      json.RawMessage `json:"option_groups"`
}

type option struct {
	Text        *textObject `json:"text"`
	Value       string      `json:"value"`
	Description *textObject `json:"description"`
	URL         string      `json:"url"`
}

// confirm is the question that is asked before an action is done.
type confirm struct {
	Title   *textObject `json:"title"`
	Text    *textObject `json:"text"`
	Confirm *textObject `json:"confirm"`
	Deny    *textObject `json:"deny"`
	Style   string      `json:"style"`
}

// elementProperties are those that each type of element may have.
var elementProperties = map[string][]string{
	"button":        {"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"},
	"overflow":      {"type", "action_id", "options", "confirm"},
	"static_select": {"type", "action_id", "options", "option_groups", "initial_option", "confirm", "focus_on_load", "placeholder"},
}

// elementTexts lists the text objects inside an element.
func elementTexts(raw json.RawMessage) []textObject {
	var e element
	if json.Unmarshal(raw, &e) != nil {
		return nil
	}
	objects := []*textObject{e.Text, e.Placeholder}
	for _, o := range e.Options {
		objects = append(objects, o.Text, o.Description)
	}
	if e.Confirm != nil {
		objects = append(objects, e.Confirm.Title, e.Confirm.Text, e.Confirm.Confirm, e.Confirm.Deny)
	}
	var texts []textObject
	for _, t := range objects {
		if t != nil {
			texts = append(texts, *t)
		}
	}
	return texts
}

// accessory checks what stands beside the text of a section.
func (c *checker) accessory(at string, raw json.RawMessage) {
	var b block
	if json.Unmarshal(raw, &b) == nil && b.Type == "image" {
		c.image(at, b)
		return
	}
	c.element(at, raw, map[string]bool{})
}

// element checks a button or a menu; ids are the action ids of its block so far.
func (c *checker) element(at string, raw json.RawMessage, ids map[string]bool) {
	var names map[string]json.RawMessage
	var e element
	if json.Unmarshal(raw, &names) != nil || json.Unmarshal(raw, &e) != nil {
		c.add(at, "must be an element object")
		return
	}
	allowed, known := elementProperties[e.Type]
	if !known {
		c.add(at+"/type", "unsupported type: %s", e.Type)
		return
	}
	c.only(at, names, allowed)
	c.most(at+"/action_id", e.ActionID, maxID)
	if e.ActionID != "" && ids[e.ActionID] {
		c.add(at+"/action_id", "action_id must be unique within its block")
	}
	ids[e.ActionID] = true
	if e.Confirm != nil {
		c.confirm(at+"/confirm", *e.Confirm)
	}
	switch e.Type {
	case "button":
		c.plain(at, "text", e.Text, maxButton)
		c.most(at+"/value", e.Value, maxValue)
		c.most(at+"/url", e.URL, maxURL)
		c.most(at+"/accessibility_label", e.Label, maxButton)
		c.style(at, e.Style)
	case "overflow":
		c.options(at, e.Options, maxOverflow)
	case "static_select":
		if e.Placeholder != nil {
			c.plain(at, "placeholder", e.Placeholder, maxHint)
		}
		if len(e.Groups) == 0 {
			c.options(at, e.Options, maxOptions)
		}
		if e.Initial != nil && !slices.ContainsFunc(e.Options, func(o option) bool { return o.Value == e.Initial.Value }) {
			c.add(at+"/initial_option", "must be one of the options")
		}
	}
}

func (c *checker) options(at string, list []option, limit int) {
	c.count(at+"/options", len(list), limit)
	for i, o := range list {
		at := fmt.Sprintf("%s/options/%d", at, i)
		c.plain(at, "text", o.Text, maxOption)
		if o.Value == "" {
			c.add(at, "missing required field: value")
		}
		c.most(at+"/value", o.Value, maxChoice)
		if o.Description != nil {
			c.plain(at, "description", o.Description, maxOption)
		}
	}
}

func (c *checker) confirm(at string, q confirm) {
	c.plain(at, "title", q.Title, maxCaption)
	if q.Text == nil {
		c.add(at, "missing required field: text")
	} else {
		c.text(at+"/text", *q.Text, maxConfirm)
	}
	c.plain(at, "confirm", q.Confirm, maxAnswer)
	if q.Deny != nil {
		c.plain(at, "deny", q.Deny, maxAnswer)
	}
	c.style(at, q.Style)
}

// plain checks a text that must be there and have no markup.
func (c *checker) plain(at, name string, t *textObject, limit int) {
	switch {
	case t == nil:
		c.add(at, "missing required field: %s", name)
	case t.Type != "plain_text":
		c.add(at+"/"+name+"/type", "must be one of the following values: plain_text")
	default:
		c.text(at+"/"+name, *t, limit)
	}
}

func (c *checker) style(at, style string) {
	if style != "" && style != "primary" && style != "danger" {
		c.add(at+"/style", "must be one of the following values: primary, danger")
	}
}
