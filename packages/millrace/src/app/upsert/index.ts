export { quoted } from './names.ts'
export {
  deleted,
  upsertStatements,
  type Dialect,
  type UpsertOptions,
  type UpsertRow,
} from './upsert.ts'
