import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { dumpSchemas, type FieldDump } from '../../packages/millrace/src/protocol/index.ts'
import { cachedKafka } from '../../tools/kafka/fetch-kafka.ts'
import { missingTool } from '../harness/tool.ts'
import { isIn, readDefinitions, type KafkaField, type KafkaMessage } from './definitions.ts'

const jars = cachedKafka()
const missing =
  (await missingTool('jar', ['--version'], 'a Java development kit')) ??
  (jars === undefined ? '`npm run test:kafka` fetches the jars with the definitions' : undefined)

/** Where ours differs, and why that is right. */
const explained: readonly (readonly [line: RegExp, why: string])[] = [
  [
    /^ListOffsets(Request|Response) v0/,
    'gone from Kafka 4, and asked for by clients from before 0.10.1',
  ],
  [
    /^LeaveGroupResponse .* groupInstanceId: default/,
    'the broker gives what it was asked with; null is what a member without one has',
  ],
]

/**
 * Our schemas against the definitions that Kafka generates its own code from: each API, each version we offer, each
 * field with its place, type, nullability, tag and default.
 */
describe("the schemas are those of Kafka's published definitions", { skip: missing }, () => {
  let definitions: Map<string, KafkaMessage>
  let fields = 0
  before(async () => {
    definitions = await readDefinitions(jars ?? '')
  })

  for (const api of dumpSchemas()) {
    it(`${api.key} ${api.api}`, () => {
      const found: string[] = []
      for (const side of ['Request', 'Response'] as const) {
        const message = definitions.get(`${api.api}${side}`)
        assert.ok(message, `Kafka has no ${api.api}${side}`)
        if (side === 'Request') assert.equal(message.apiKey, api.key)
        const ours = side === 'Request' ? api.request : api.response
        for (let version = api.versions[0]; version <= api.versions[1]; version++) {
          const at = `${api.api}${side} v${version}`
          if (!isIn(message.validVersions, version)) found.push(`${at}: Kafka has no such version`)
          const isFlexible = api.flexible !== null && version >= api.flexible
          if (isIn(message.flexibleVersions, version) !== isFlexible)
            found.push(`${at}: flexible in one of the two`)
          found.push(...compare(ours, message.fields, { message, version, path: at }))
        }
      }
      const unexplained = found.filter((line) => !explained.some(([known]) => known.test(line)))
      assert.deepEqual(unexplained, [])
    })
  }

  it('were compared field by field', (test) => {
    test.diagnostic(`${fields} fields of ${definitions.size} definitions compared`)
    assert.ok(fields > 2000, `only ${fields}`)
  })

  interface Place {
    readonly message: KafkaMessage
    readonly version: number
    readonly path: string
  }

  function compare(
    ours: readonly FieldDump[],
    theirs: readonly KafkaField[],
    { message, version, path }: Place,
  ): readonly string[] {
    const own = ours.filter(({ since, until }) => since <= version && version <= until)
    const kafka = theirs.filter(({ versions }) => isIn(versions, version))
    const isTagged = (field: KafkaField): boolean => isIn(field.taggedVersions, version)
    // Tagged fields are written by their tags, whatever their place in the definition.
    const names = (list: readonly string[]): string => list.join(', ')
    const ownPlain = names(own.filter(({ tag }) => tag === null).map(({ name }) => name))
    const kafkaPlain = names(kafka.filter((field) => !isTagged(field)).map(nameOf))
    if (ownPlain !== kafkaPlain) return [`${path}: ours ${ownPlain}; Kafka ${kafkaPlain}`]
    const ownByName = new Map(own.map((field) => [field.name, field]))
    return kafka.flatMap((field) => {
      const at = `${path} ${nameOf(field)}`
      const one = ownByName.get(nameOf(field))
      if (one === undefined) return [`${at}: ours lacks tag ${field.tag}`]
      fields++
      const inner = innerOf(field, message)
      const facts: readonly (readonly [what: string, ours: unknown, kafka: unknown])[] = [
        ['type', one.type, typeOf(field, inner)],
        ['tag', one.tag, isTagged(field) ? field.tag : null],
        ['null', isNullable(one, version), isIn(field.nullableVersions, version)],
        ...(one.type === 'struct'
          ? []
          : [['default', defaultOf(one), kafkaDefault(field)] as const]),
      ]
      const differing = facts
        .filter(([, left, right]) => left !== right)
        .map(([what, left, right]) => `${at}: ${what} ours ${String(left)}, Kafka ${String(right)}`)
      if (inner === undefined || one.fields === undefined) return differing
      return [...differing, ...compare(one.fields, inner, { message, version, path: at })]
    })
  }
})

function nameOf({ name }: KafkaField): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

/** The fields of a struct, or of a list's elements. */
function innerOf(field: KafkaField, message: KafkaMessage): readonly KafkaField[] | undefined {
  if (field.fields !== undefined && field.fields.length > 0) return field.fields
  const name = field.type.replace('[]', '')
  return message.commonStructs?.find((struct) => struct.name === name)?.fields
}

function typeOf({ type }: KafkaField, inner: readonly KafkaField[] | undefined): string {
  if (inner === undefined) return type
  return type.startsWith('[]') ? '[]struct' : 'struct'
}

function isNullable({ nullableFrom }: FieldDump, version: number): boolean {
  return nullableFrom !== null && version >= nullableFrom
}

function defaultOf(field: FieldDump): string {
  return field.type.startsWith('[]') && field.default !== null ? '[]' : String(field.default)
}

/** As text: numbers may be written in hexadecimal, and a field without one has its type's. */
function kafkaDefault({ type, default: given }: KafkaField): string {
  if (given === 'null') return 'null'
  if (type.startsWith('[]')) return '[]'
  if (given === undefined || given === '') {
    if (/^u?int/.test(type)) return '0'
    if (type === 'bool') return 'false'
    if (type === 'uuid') return 'AAAAAAAAAAAAAAAAAAAAAA'
    // Kafka's generated classes begin without any.
    if (type === 'records') return 'null'
    return ''
  }
  return /^u?int/.test(type) ? String(Number(given)) : String(given)
}
