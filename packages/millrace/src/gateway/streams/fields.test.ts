import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ClientMessage } from '../../client/index.ts'
import { fieldsContentType, fieldsOf, readFields } from './fields.ts'

type Field = readonly [name: string, value: string | Buffer]

const bytes = (text: string | Buffer | null): Buffer =>
  typeof text === 'string' ? Buffer.from(text) : (text ?? Buffer.alloc(0))

/** As XADD takes it to Kafka, and as the fetcher gives it back. */
function stored(fields: readonly Field[]): ClientMessage {
  const read = readFields(fields.flat().map(bytes), 0)
  return {
    topic: 't',
    partition: 0,
    offset: 0,
    timestamp: read.timestamp ?? 1000,
    timestampType: 'create',
    key: read.key,
    value: read.value === null ? null : bytes(read.value),
    headers: read.headers.map(([name, value]) => [name, bytes(value)]),
    receivedAt: 0,
    leaderEpoch: -1,
  }
}

const shown = (message: ClientMessage): string[] =>
  fieldsOf(message).map((field) => (field as Buffer | string).toString())

const plainNames = fc
  .string({ unit: 'grapheme', maxLength: 8 })
  .filter((name) => !name.startsWith('@') && name.isWellFormed())
const texts = fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed())

describe('plain fields', () => {
  it('come back as they were written, in their order', () => {
    const lists = fc.uniqueArray(fc.tuple(plainNames, texts), {
      selector: ([name]) => name,
      minLength: 1,
    })
    fc.assert(
      fc.property(lists, (list) => {
        assert.deepEqual(shown(stored(list)), list.flat())
      }),
    )
    const awkward: Field[] = [
      ['2', 'two'],
      ['1', '"quoted\\"\n\u0000'],
      ['__proto__', '\\'],
      ['', ''],
    ]
    assert.deepEqual(shown(stored(awkward)), awkward.flat())
  })

  it('are a JSON object of texts to everybody else', () => {
    const { value, headers } = stored([
      ['id', '7'],
      ['name', 'Ada'],
    ])
    assert.deepEqual(JSON.parse(value!.toString()), { id: '7', name: 'Ada' })
    assert.deepEqual(headers, [['content-type', Buffer.from(fieldsContentType)]])
  })

  it('may have a key and headers beside them', () => {
    const message = stored([
      ['@key', 'k'],
      ['name', 'Ada'],
      ['@header:trace', 'abc'],
    ])
    assert.equal(message.key?.toString(), 'k')
    assert.deepEqual(shown(message), ['name', 'Ada', '@key', 'k', '@header:trace', 'abc'])
  })

  it('are refused when repeated or no text', () => {
    assert.throws(
      () =>
        stored([
          ['a', '1'],
          ['a', '2'],
        ]),
      /'a' is repeated: put such bytes into @value/,
    )
    assert.throws(() => stored([['a', Buffer.from([0xff])]]), /UTF-8/)
    assert.throws(() => readFields([Buffer.from([0xff]), bytes('')], 0), /UTF-8/)
  })
})

describe('@ fields', () => {
  it('come back as they were written, any bytes', () => {
    const any = fc.uint8Array().map((array) => Buffer.from(array))
    const headers = fc.array(fc.tuple(plainNames, any))
    fc.assert(
      fc.property(any, fc.option(any), headers, (value, key, list) => {
        const fields: Field[] = [['@value', value]]
        if (key !== null) fields.push(['@key', key])
        fields.push(['@timestamp', '1234'])
        for (const [name, content] of list) fields.push([`@header:${name}`, content])
        assert.deepEqual(
          fieldsOf(stored(fields)).map((one) => bytes(one as Buffer)),
          fields.flat().map(bytes),
        )
      }),
    )
  })

  it('show a null value as a tombstone, and write one', () => {
    const message = stored([
      ['@key', 'k'],
      ['@tombstone', '1'],
    ])
    assert.equal(message.value, null)
    assert.deepEqual(shown(message), ['@tombstone', '1', '@key', 'k', '@timestamp', '1000'])
  })

  it('are refused when unknown, repeated, out of range or beside fields', () => {
    const cases: [Field[], RegExp][] = [
      [[['@what', '1']], /unknown field '@what'/],
      [
        [
          ['@value', '1'],
          ['@value', '2'],
        ],
        /'@value' is repeated/,
      ],
      [
        [
          ['@value', '1'],
          ['@tombstone', '1'],
        ],
        /repeated/,
      ],
      [[['@tombstone', '2']], /@tombstone takes 1/],
      [
        [
          ['@value', '1'],
          ['a', '2'],
        ],
        /stand in place of fields/,
      ],
      [[['@key', 'k']], /an entry has fields/],
      [
        [
          ['@value', ''],
          ['@partition', '-1'],
        ],
        /@partition is not an integer/,
      ],
      [
        [
          ['@value', ''],
          ['@timestamp', 'now'],
        ],
        /@timestamp is not an integer/,
      ],
    ]
    for (const [fields, text] of cases) assert.throws(() => stored(fields), text)
  })
})

describe('messages of others', () => {
  it('with the mark and another body read as a raw value', () => {
    const bodies = [
      '',
      '{',
      '{}x',
      '[]',
      '{"a":1}',
      '{"a":"b"',
      '{"@key":"b"}',
      '{"a":"\\x"}',
      '{"a" "b"}',
      '{"a":"b",}',
    ]
    for (const body of bodies) {
      const message = {
        ...stored([['@value', body]]),
        headers: [['content-type', Buffer.from(fieldsContentType)]] as const,
      }
      assert.deepEqual(shown(message).slice(0, 2), ['@value', body], body)
    }
  })

  it('with the mark never break a reply, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('{', '}', '"', ':', ',', '\\', ' ', 'a', '@', '\n') }),
        (body) => {
          const message = {
            ...stored([['@value', `{${body}`]]),
            headers: [['content-type', Buffer.from(fieldsContentType)]] as const,
          }
          assert.equal(fieldsOf(message).length % 2, 0)
        },
      ),
    )
  })
})
