// Negative log-likelihood of log-probabilities: loss = -w_t x_t, gradient -scale w_t at the target and 0 elsewhere. Needs no statistic.
struct Row {
  state: u32,
  hit: u32,
  hit_gradient: u32,
  loss: u32,
}

const ROW_USUAL: u32 = 0u;
const ROW_NAN: u32 = 1u;

fn negative(u: u32) -> u32 { return u ^ 0x80000000u; }

fn row_load(row: u32) -> Row {
  let hit = get_targets(row_number(row));
  if (is_ignored(hit)) { return Row(ROW_USUAL, params.classes, 0u, 0u); }
  if (hit >= params.classes) { return Row(ROW_NAN, hit, BITS_NAN, BITS_NAN); }
  let weight = pick_weight(0u, hit);
  let scale = ieee_div(get_gradOutput(row_number(row)), get_census(1u));
  return Row(ROW_USUAL, hit, negative(ieee_mul(weight, scale)), negative(ieee_mul(weight, pick_logProbs(row, hit))));
}

fn row_output(row: u32, r: Row) { put_loss(row_number(row), r.loss); }

fn emit(row: u32, r: Row, c: u32) { store_grad(row, c, vec4<u32>(select(0u, BITS_NAN, r.state == ROW_NAN))); }
fn row_hit(r: Row) -> u32 { return select(NO_CLASS, r.hit, r.state == ROW_USUAL); }
fn emit_hit(row: u32, r: Row) { poke_grad(row, r.hit, r.hit_gradient); }
