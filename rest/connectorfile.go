package rest

import (
	"encoding/json"
	"fmt"
	"strconv"

	"kconnect/connect/config"
	"kconnect/connect/herder"
)

// NewConnector is a request to create a connector.
type NewConnector struct {
	Name         string
	Config       config.Entries
	InitialState *herder.TargetState // nil: RUNNING
}

// ReadConnector reads a connector from the JSON text of a file, which is what
// POST /connectors takes, the same with other members (an answer of
// GET /connectors/{name}), or the bare configuration with its name. The name is
// in the Config, too.
func ReadConnector(text []byte) (NewConnector, error) {
	d, tok, err := parse(text)
	if err != nil {
		return NewConnector{}, err
	}
	if flat, err := d.entries("the connector", tok, 0); err == nil {
		name, ok := flat.Get("name")
		if !ok || name == "" {
			return NewConnector{}, fmt.Errorf("the configuration lacks the name of the connector: add %q", "name")
		}
		return NewConnector{Name: name, Config: flat}, nil
	}
	if d, tok, err = parse(text); err != nil {
		return NewConnector{}, err
	}
	c, err := d.connector(tok, true)
	switch {
	case err != nil:
		return NewConnector{}, err
	case c.Name == "":
		return NewConnector{}, fmt.Errorf("the connector has no name: add %q beside %q", "name", "config")
	case c.Config == nil:
		return NewConnector{}, fmt.Errorf("connector %s has no configuration: add %q", c.Name, "config")
	}
	c.Config, err = named(c.Config, c.Name)
	return c, err
}

// connector reads the request to create a connector. lenient passes over members
// that are not known.
func (d *document) connector(tok json.Token, lenient bool) (c NewConnector, err error) {
	err = d.object("the request", tok, 0, func(key string, val json.Token, at int) error {
		var err error
		switch {
		case key == "name":
			var text *string
			if text, err = d.scalar(strconv.Quote(key), val, at); text != nil {
				c.Name = *text
			} else {
				c.Name = ""
			}
		case key == "config":
			c.Config, err = d.entries(strconv.Quote(key), val, at)
		case key == "initial_state":
			c.InitialState, err = d.state(val, at)
		case lenient:
			_, err = d.value(strconv.Quote(key), val, at)
		default:
			err = d.unknown(key, at, "name, config, initial_state")
		}
		return err
	})
	return c, err
}
