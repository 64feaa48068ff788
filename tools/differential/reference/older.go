package main

import (
	"math"
	"reflect"
	"strconv"
	"text/template"
)

// asIn222 gives functions of sprig 3 the behaviour that they have in 2.22.0.
func asIn222(functions template.FuncMap) {
	for _, name := range []string{"int", "int64", "add", "add1", "sub", "mul", "div", "mod", "max", "min", "biggest"} {
		functions[name] = converting(functions[name], 0, integer)
	}
	for _, name := range []string{"float64", "ceil", "floor", "round"} {
		functions[name] = converting(functions[name], 0, float)
	}
	functions["slice"] = converting(functions["slice"], 1, integer)
	functions["trunc"] = func(length int, text string) string {
		if len(text) <= length {
			return text
		}
		return text[:length]
	}
}

// converting makes a function that converts its arguments of any type, from the given one on.
func converting(function interface{}, from int, convert func(interface{}) interface{}) interface{} {
	original := reflect.ValueOf(function)
	call := original.Call
	if original.Type().IsVariadic() {
		call = original.CallSlice
	}
	return reflect.MakeFunc(original.Type(), func(arguments []reflect.Value) []reflect.Value {
		for index := from; index < len(arguments); index++ {
			switch values := arguments[index].Interface().(type) {
			case []interface{}:
				if !original.Type().IsVariadic() || index < len(arguments)-1 {
					arguments[index] = reflect.ValueOf(convert(values))
					continue
				}
				converted := make([]interface{}, len(values))
				for index, value := range values {
					converted[index] = convert(value)
				}
				arguments[index] = reflect.ValueOf(converted)
			default:
				if arguments[index].Kind() == reflect.Interface {
					arguments[index] = reflect.ValueOf(convert(values))
				}
			}
		}
		return call(arguments)
	}).Interface()
}

// integer reads decimal digits only, and takes the greatest number for a greater one.
func integer(value interface{}) interface{} {
	if text, ok := value.(string); ok {
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return int64(0)
		}
		return number
	}
	of := reflect.Indirect(reflect.ValueOf(value))
	switch {
	case of.CanInt():
		return of.Int()
	case of.CanUint() && of.Uint() > math.MaxInt64:
		return int64(math.MaxInt64)
	case of.CanUint():
		return int64(of.Uint())
	case of.CanFloat():
		return int64(of.Float())
	case of.Kind() == reflect.Bool && of.Bool():
		return int64(1)
	}
	return int64(0)
}

func float(value interface{}) interface{} {
	if text, ok := value.(string); ok {
		number, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0.0
		}
		return number
	}
	of := reflect.Indirect(reflect.ValueOf(value))
	switch {
	case of.CanInt():
		return float64(of.Int())
	case of.CanUint():
		return float64(of.Uint())
	case of.CanFloat():
		return of.Float()
	case of.Kind() == reflect.Bool && of.Bool():
		return 1.0
	}
	return 0.0
}
