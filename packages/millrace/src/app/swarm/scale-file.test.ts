import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readScaleFile } from './scale-file.ts'

const consumers = ['price-drops', 'mail', 'search']
const read = (text: string): ReturnType<typeof readScaleFile> =>
  readScaleFile(text, 'kafka_consumers.yml', consumers)

describe('a scale file', () => {
  it('is names with scales in each of the usual shapes', async () => {
    for (const text of [
      'price_drops: 2\nmail: 1\nsearch: 0\n',
      '- name: price_drops\n  scale: 2\n- name: mail\n  scale: 1\n',
      'consumers:\n  price_drops:\n    scale: 2\n  mail: 1\n',
      'consumers:\n- { name: price_drops, scale: 2 }\n- { name: mail, scale: 1 }\n',
      '{"price_drops": 2, "mail": 1}',
    ]) {
      const { workers, faults } = await read(text)
      assert.deepEqual(faults, [], text)
      assert.deepEqual(
        workers.map(({ name, consumer }) => `${name} ${consumer}`),
        ['price_drops:1 price-drops', 'price_drops:2 price-drops', 'mail:1 mail'],
        text,
      )
    }
  })

  it('may be empty: everything is off', async () => {
    for (const text of ['', '# nothing yet\n', '{}', '[]', 'consumers:\n'])
      assert.deepEqual(await read(text), { workers: [], faults: [] }, text)
  })

  it('tells all its faults at once, each with its line', async () => {
    const { workers, faults } = await read(
      'price_dorps: 1\nmail: -1\nsearch: 1.5\nprice-drops: 1\nprice_drops: 2\n"": 1\n',
    )
    assert.deepEqual(workers, [])
    assert.deepEqual(faults, [
      'kafka_consumers.yml:1: there is no consumer price_dorps; did you mean price-drops?',
      'kafka_consumers.yml:2: mail has the scale -1; write a number from 0 to 1000',
      'kafka_consumers.yml:3: search has the scale 1.5; write a number from 0 to 1000',
      'kafka_consumers.yml:5: price_drops stands in line 4 already',
      'kafka_consumers.yml:6: there is no consumer ',
    ])
    assert.match((await read('just text')).faults.join(), /is neither names with scales/)
    assert.match((await read('a: [')).faults.join(), /^kafka_consumers\.yml:\d+: /)
    assert.match((await read('- mail')).faults.join(), /mail has the scale undefined/)
  })
})
