package rest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/herder"
)

type pluginInfo struct {
	Class   string             `json:"class"`
	Type    connect.PluginKind `json:"type"`
	Version string             `json:"version"`
}

func (s *Server) plugins(r *call) error {
	list := []pluginInfo{}
	for _, p := range s.herder.Plugins(r.flag("connectorsOnly", true)) {
		list = append(list, pluginInfo{p.Class, p.Kind, p.Version})
	}
	return r.json(http.StatusOK, list)
}

// keyInfo is a key's definition as GET config and validate show it.
type keyInfo struct {
	Name          string   `json:"name"`
	Type          string   `json:"type"`
	Required      bool     `json:"required"`
	DefaultValue  *string  `json:"default_value"`
	Importance    string   `json:"importance"`
	Documentation string   `json:"documentation"`
	Group         *string  `json:"group"`
	OrderInGroup  int      `json:"order_in_group"`
	Width         string   `json:"width"`
	DisplayName   string   `json:"display_name"`
	Dependents    []string `json:"dependents"`
}

func definition(k *config.Key) keyInfo {
	info := keyInfo{
		Name:          k.Name,
		Type:          k.Type.String(),
		Required:      k.Required,
		DefaultValue:  k.DefaultText(),
		Importance:    k.Importance.String(),
		Documentation: k.Doc,
		OrderInGroup:  k.OrderInGroup(),
		Width:         k.Width.String(),
		DisplayName:   k.DisplayName(),
		Dependents:    filled(k.Dependents),
	}
	if group, ok := k.GroupName(); ok {
		info.Group = &group
	}
	return info
}

func (s *Server) pluginConfig(r *call) error {
	keys, err := s.herder.PluginConfig(r.name())
	if err != nil {
		return err
	}
	list := make([]keyInfo, len(keys))
	for i := range keys {
		list[i] = definition(&keys[i])
	}
	return r.json(http.StatusOK, list)
}

type valueInfo struct {
	Name              string   `json:"name"`
	Value             *string  `json:"value"`
	RecommendedValues []string `json:"recommended_values"`
	Errors            []string `json:"errors"`
	Visible           bool     `json:"visible"`
}

type configInfo struct {
	Definition *keyInfo  `json:"definition"` // null when no definition has the key
	Value      valueInfo `json:"value"`
}

type validationInfo struct {
	Name       string       `json:"name"`
	ErrorCount int          `json:"error_count"`
	Groups     []string     `json:"groups"`
	Configs    []configInfo `json:"configs"`
}

func (s *Server) validate(r *call) error {
	plugin := r.name()
	cfg, err := r.entries()
	if err != nil {
		return err
	}
	if cfg == nil {
		return missing("an object of settings")
	}
	if class := cfg.Raw()["connector.class"]; class != nil && !strings.HasSuffix(shortened(*class), shortened(plugin)) {
		return &herder.BadRequestError{Message: fmt.Sprintf("Included connector type %s does not match request type %s", *class, plugin)}
	}
	v, err := s.herder.Validate(r.ctx, cfg)
	var bad *herder.BadRequestError
	if errors.As(err, &bad) {
		// Java answers 500 with the exception's text (golden rest 16-validate-filestream).
		return fmt.Errorf("org.apache.kafka.connect.runtime.rest.errors.BadRequestException: %s", bad.Message)
	}
	var fault *connect.Error
	if errors.As(err, &fault) { // shown with its class, as above
		return fmt.Errorf("%s: %w", fault.JavaClass(), err)
	}
	if err != nil {
		return err
	}
	info := validationInfo{v.Name, v.ErrorCount, filled(v.Groups), make([]configInfo, len(v.Results))}
	for i, res := range v.Results {
		info.Configs[i].Value = valueInfo{res.Key.Name, res.Value, filled(res.Recommended), filled(res.Errors), res.Visible}
		if !res.Undefined {
			def := definition(res.Key)
			info.Configs[i].Definition = &def
		}
	}
	return r.json(http.StatusOK, info)
}

// shortened drops the suffix that aliases may lack.
func shortened(class string) string {
	if short, ok := strings.CutSuffix(class, "Connector"); ok && short != "" {
		return short
	}
	return class
}
