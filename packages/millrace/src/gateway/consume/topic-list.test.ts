import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'

import { ReplyError } from '../reply.ts'
import { parseTimeout, parseTopicList } from './topic-list.ts'

describe('the key of a BLPOP', () => {
  const topicsOf = (key: string): readonly string[] => parseTopicList(key).topics

  it('names topics in the order given', () => {
    assert.deepEqual(topicsOf('topics:a'), ['a'])
    assert.deepEqual(topicsOf('topics:b,a,b'), ['b', 'a', 'b'])
    assert.deepEqual(topicsOf('topics:^a.*,b'), ['^a.*', 'b'])
    assert.deepEqual(topicsOf('topics:'), [''])
    assert.deepEqual(topicsOf('topics:a,:'), ['a', ''])
  })

  for (const key of ['', 'topics', 'topic:a', 'TOPICS:a', ':a', ' topics:a', 'topicsx:a'])
    it(`cannot be ${JSON.stringify(key)}`, () =>
      assert.throws(() => parseTopicList(key), {
        name: 'ReplyError',
        message: `CONS Cannot parse topics from \`${key}\``,
      }))

  it('may configure, and what follows the first value does not count', () => {
    const properties = (json: string): unknown => ({
      ...parseTopicList(`topics:a:${json}`).properties,
    })
    const expected = { 'a.b': 'x:y', c: 1, d: true }
    const json = '{"a.b":"x:y","c":1,"d":true}'
    for (const tail of ['', ' ', '}', 'x', ' {"c":2}', ':1'])
      assert.deepEqual(properties(`${json}${tail}`), expected, tail)
    assert.deepEqual(properties(String.raw`{"a":"}\"{"}`), { a: '}"{' })
    assert.equal(parseTopicList('topics:a:').properties, undefined)
    assert.equal(parseTopicList('topics:a').properties, undefined)
    assert.deepEqual(properties('{}'), {})
  })

  for (const json of ['{', '{"a"', '{"a":}', 'x', '}', "{'a':1}", '{"a":1,}', '"a'])
    it(`is no configuration with ${json}`, () =>
      assert.throws(
        () => parseTopicList(`topics:a:${json}`),
        ({ message }: Error) =>
          message.startsWith(`CONS Error parsing configuration from '${json}'; `),
      ))

  for (const json of ['null', '[]', '1', '"a"', 'true', '{"a":null}', '{"a":[]}', '{"a":{}}'])
    it(`is refused later with ${json}`, () =>
      assert.deepEqual(parseTopicList(`topics:a:${json}`), {
        topics: ['a'],
        properties: {},
        isRefused: true,
      }))

  it('is nested 32 deep at most', () => {
    const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    assert.ok(parseTopicList(`topics:a:${nested(32)}`).isRefused)
    assert.throws(() => parseTopicList(`topics:a:${nested(33)}`), /nested deeper/)
    assert.throws(() => parseTopicList(`topics:a:${'['.repeat(100_000)}`), /nested deeper/)
  })

  it('touches no prototype', () => {
    const { properties } = parseTopicList('topics:a:{"__proto__":"x","constructor":"y"}')
    assert.deepEqual(Object.keys(properties ?? {}), ['__proto__', 'constructor'])
    assert.equal(Object.getPrototypeOf(properties), null)
  })

  it('is taken or refused, whatever it is', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(':', '{', '}', '"', '\\', '[', ',', ' ', '1'),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parseTopicList(`topics:a:${pieces.join('')}`)
        } catch (error) {
          assert.ok(error instanceof ReplyError)
        }
      }),
    )
  })

  it('means the same with anything behind its configuration', () => {
    const values = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean()))
    fc.assert(
      fc.property(values, fc.string(), (given, tail) => {
        const { properties } = parseTopicList(`topics:a:${JSON.stringify(given)}${tail}`)
        assert.deepEqual(Object.entries(properties ?? {}), Object.entries(given))
      }),
    )
  })
})

describe('the timeout of a BLPOP', () => {
  const rows: readonly (readonly [text: string | undefined, ms: number])[] = [
    [undefined, 5000],
    ['', 5000],
    ['x', 5000],
    ['5s', 5000],
    ['0x10', 5000],
    ['0b1', 5000],
    ['0', 0],
    ['1', 1000],
    ['1.0', 1000],
    ['+2', 2000],
    ['0.25', 250],
    ['.5', 500],
    ['1e1', 10_000],
    ['2147483648', 2_147_483_648_000],
  ]
  for (const [text, ms] of rows)
    it(`of ${text ?? 'no argument'} is ${ms} ms`, () => assert.equal(parseTimeout(text), ms))

  it('of -0 is for ever, as 0 is', () => assert.ok(parseTimeout('-0') === 0))

  for (const text of ['-1', '-0.001', '-1e400'])
    it(`is not ${text}`, () =>
      assert.throws(() => parseTimeout(text), { message: 'CONS timeout is negative' }))

  for (const text of ['nan', 'NaN', '-nan', 'inf', '+Inf', 'infinity', '1e400', '2147483648.5'])
    it(`is not ${text}`, () =>
      assert.throws(() => parseTimeout(text), { message: 'CONS timeout is out of range' }))
})
