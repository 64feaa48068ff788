// Command reference answers what Go makes of templates and YAML texts: one JSON request a line in, one answer a line out.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	yaml2 "gopkg.in/yaml.v2"
	yaml3 "gopkg.in/yaml.v3"
)

type request struct {
	Template *string           `json:"template"` // rendered with Values, or:
	Values   map[string]string `json:"values"`
	Text     string            `json:"text"` // read and printed
}

type answer struct {
	Output string `json:"output"` // in hexadecimal
	Read   string `json:"read,omitempty"`
	Error  string `json:"error,omitempty"`
}

// Its name shows in error messages.
type dataType struct {
	DeploymentTargetName string
	Namespace            string
	Environment          string
	Workspace            string
	Workload             string
	Labels               map[string]string
	Manifests            map[string]string
	ClusterType          string
	ConfigData           map[string]interface{}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	answers := json.NewEncoder(output)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		answers.Encode(respond(asked))
	}
}

func respond(asked request) (given answer) {
	defer func() {
		if reason := recover(); reason != nil {
			given = answer{Error: fmt.Sprint("panic: ", reason)}
		}
	}()
	if asked.Template != nil {
		return render(*asked.Template, asked.Values)
	}
	var value interface{}
	if err := yaml2.Unmarshal([]byte(asked.Text), &value); err != nil {
		return answer{Error: err.Error()}
	}
	printed, err := yaml3.Marshal(value)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Output: hex.EncodeToString(printed), Read: note(value)}
}

func render(text string, values map[string]string) answer {
	functions := sprig.TxtFuncMap()
	asIn222(functions)
	functions["toYaml"] = toYaml
	functions["stringify"] = stringify
	functions["unquote"] = unquote
	config := map[string]interface{}{}
	for key, text := range values {
		config[key] = text
		var value interface{}
		if yaml2.Unmarshal([]byte(text), &value) == nil {
			switch value.(type) {
			case []interface{}, map[interface{}]interface{}:
				config[key] = value
			}
		}
	}
	parsed, err := template.New("template").Funcs(functions).Parse(text)
	if err != nil {
		return answer{Error: err.Error()}
	}
	var output strings.Builder
	err = parsed.Execute(&output, dataType{
		DeploymentTargetName: "app-test",
		Namespace:            "dev-large-app-test",
		Environment:          "dev",
		Workspace:            "team",
		Workload:             "app",
		Labels:               map[string]string{"region": "east", "zone": "1", "a.b/c": "x"},
		Manifests:            map[string]string{"repo": "https://example.com/r", "branch": "main", "path": "./m"},
		ClusterType:          "large",
		ConfigData:           config,
	})
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Output: hex.EncodeToString([]byte(output.String()))}
}

func toYaml(value interface{}) string {
	text, err := yaml3.Marshal(value)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(text), "\n")
}

// Only maps that a template made have this type; those of a configuration value stay what they are.
func stringify(value interface{}) string {
	values, ok := value.(map[string]interface{})
	if !ok {
		return toYaml(value)
	}
	texts := make(map[string]interface{}, len(values))
	for key, value := range values {
		texts[key] = value
		switch value.(type) {
		case []interface{}, map[string]interface{}:
			if text, err := yaml3.Marshal(value); err == nil {
				texts[key] = string(text)
			}
		}
	}
	return toYaml(texts)
}

func unquote(value interface{}) string {
	text, _ := value.(string)
	return strings.Trim(strings.Trim(strings.TrimSpace(text), `"`), "'")
}

// note writes a value down so that its type shows.
func note(value interface{}) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(value)
	case int, int64, uint64:
		return fmt.Sprintf("%d", value)
	case float64:
		if math.IsNaN(value) {
			return "nan"
		}
		return fmt.Sprintf("f%016x", math.Float64bits(value))
	case string:
		return "s" + hex.EncodeToString([]byte(value))
	case []interface{}:
		items := make([]string, len(value))
		for index, item := range value {
			items[index] = note(item)
		}
		return "[" + strings.Join(items, ",") + "]"
	case map[interface{}]interface{}:
		entries := make([]string, 0, len(value))
		for key, item := range value {
			entries = append(entries, note(key)+":"+note(item))
		}
		sort.Strings(entries)
		return "{" + strings.Join(entries, ",") + "}"
	default:
		return fmt.Sprintf("%T", value)
	}
}
