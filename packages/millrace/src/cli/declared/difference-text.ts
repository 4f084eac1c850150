import type { internals } from '../../app/index.ts'
import { retentionText } from '../render/topic-info.ts'
import { counted } from '../text.ts'

/** `+ orders: create with 6 partitions`, `~ orders: partitions 4 -> 6`; `!` before what no command changes. */
export function differenceText(difference: internals.TopicDifference): string {
  const { topic } = difference
  switch (difference.kind) {
    case 'missing': {
      const { partitions, replicas, configs } = difference.wanted
      const facts = [
        ...(partitions === undefined ? [] : [counted(partitions, 'partition')]),
        ...(replicas === undefined ? [] : [counted(replicas, 'replica')]),
        ...Object.entries(configs).map(([name, value]) => `${name} ${settingText(name, value)}`),
      ]
      return `+ ${topic}: create${facts.length === 0 ? '' : ` with ${facts.join(', ')}`}`
    }
    case 'partitions':
      return `~ ${topic}: partitions ${difference.before} -> ${difference.after}`
    case 'setting': {
      const { setting, before, after } = difference
      return `~ ${topic}: ${setting} ${settingText(setting, before)} -> ${settingText(setting, after)}`
    }
    case 'fewer-partitions':
      return `! ${topic}: has ${counted(difference.before, 'partition')}, declared are ${difference.after}; a topic never shrinks`
    case 'replicas':
      return `! ${topic}: has ${counted(difference.before, 'replica')}, declared are ${difference.after}; copies are moved by kafka-reassign-partitions.sh`
  }
}

function settingText(name: string, value: string): string {
  if (value === '') return 'unset'
  const isTime = name === 'retention.ms' && /^-?\d+$/.test(value)
  return isTime ? `${value} (${retentionText(Number(value))})` : value
}
