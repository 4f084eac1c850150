export {
  defineOptions,
  resolveOptions,
  type OptionRow,
  type OptionSources,
  type OptionTable,
  type OptionType,
  type OptionValues,
  type Origin,
  type ResolvedOptions,
} from './option-table.ts'
