import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { dumpSchemas } from './index.ts'

describe('dumped schemas', () => {
  const dump = dumpSchemas()

  it('are JSON, one entry per API', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(dump)), dump)
    assert.equal(dump.length, new Set(dump.map((api) => api.key)).size)
  })

  it('tell type, versions, nullability, tag and default of a field', () => {
    const fetch = dump.find((api) => api.key === 1)
    const clusterId = fetch?.request.find((field) => field.name === 'clusterId')
    assert.deepEqual(clusterId, {
      name: 'clusterId',
      type: 'string',
      since: 12,
      until: 18,
      nullableFrom: 12,
      tag: 0,
      default: null,
    })
    const topics = fetch?.request.find((field) => field.name === 'topics')
    const topic = topics?.fields?.find((field) => field.name === 'topic')
    assert.deepEqual(
      { type: topics?.type, topic: [topic?.since, topic?.until] },
      { type: '[]struct', topic: [4, 12] },
    )
  })

  it('keep every tag of a struct apart and every field within its API', () => {
    const faults: string[] = []
    const walk = (path: string, fields: (typeof dump)[number]['request']): void => {
      const tags = fields.filter((field) => field.tag !== null).map((field) => field.tag)
      if (new Set(tags).size !== tags.length) faults.push(`${path}: a tag twice`)
      for (const field of fields) {
        // Left out, it would be null where null cannot be written.
        if (field.default === null && field.nullableFrom !== field.since) {
          faults.push(`${path}.${field.name}: null by default before it may be null`)
        }
        if (field.since > field.until) faults.push(`${path}.${field.name}: in no version`)
        if (field.fields) walk(`${path}.${field.name}`, field.fields)
      }
    }
    for (const { api, request, response } of dump) {
      walk(`${api} request`, request)
      walk(`${api} response`, response)
    }
    assert.deepEqual(faults, [])
  })
})
