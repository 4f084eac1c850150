import type { PropertyValues } from '../settings.ts'
import { properties, type Property } from './table.ts'

/** Words that librdkafka takes for a number. */
const numberWords: Readonly<Record<string, readonly string[]>> = {
  acks: ['all'],
  'request.required.acks': ['all'],
}
const booleans = new Set(['true', 'false', 't', 'f', '1', '0'])

/** Why a value cannot be set, or undefined. Values are compared as text, so `"5"` and `5` are the same. */
export function propertyFault(name: string, value: string): string | undefined {
  // Of the Go client around librdkafka; nothing of it is here.
  if (name.startsWith('go.')) return undefined
  if (!Object.hasOwn(properties, name)) return `No such configuration property: "${name}"`
  return valueFault(name, value, properties[name]!)
}

function valueFault(name: string, value: string, property: Property): string | undefined {
  switch (property.type) {
    case 'callback':
      return `Property "${name}" cannot be set in a configuration`
    case 'text':
      return undefined
    case 'boolean':
      return booleans.has(value.toLowerCase())
        ? undefined
        : `Expected bool value for "${name}": true or false`
    case 'enum':
      // As the flags and booleans, in any case of letters.
      return property.values.includes(value.toLowerCase())
        ? undefined
        : `Invalid value "${value}" for configuration property "${name}"`
    case 'flags': {
      const words = value.split(',').map((word) => word.trim())
      const wrong = words.find((word) => word !== '' && !property.values.includes(word))
      return wrong === undefined
        ? undefined
        : `Invalid value "${wrong}" for configuration property "${name}"`
    }
    case 'integer':
    case 'float': {
      if (numberWords[name]?.includes(value)) return undefined
      const isNumber = property.type === 'integer' ? /^-?\d+$/ : /^-?\d+(\.\d+)?$/
      const number = Number(value)
      if (!isNumber.test(value) || number < property.least || number > property.most)
        return `Configuration property "${name}" value ${value} is outside allowed range ${property.least}..${property.most}`
      return undefined
    }
  }
}

/** All faults of a section, each with its name. */
export function sectionFaults(section: string, values: PropertyValues): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const fault = propertyFault(name, String(value))
    return fault === undefined ? [] : [`${section}: ${fault}`]
  })
}
