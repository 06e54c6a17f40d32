;; Work on rows of float32 logits, four classes at a time. Rows lie one behind the other, without gaps.
;;
;; A row that ends within a vector is made to end with it: the bytes behind it, which are the next row's, are put aside while the row is
;; worked on. So the memory must go on for 12 bytes behind the last row.
;;
;; For each row there are two float64 in a list of facts, see the functions.
(module
  (memory (export "memory") 1)

  ;; Which lanes of the last vector of a row are the row's own.
  (func $ownLanes (param $classes i32) (result v128)
    (i32x4.gt_s
      (i32x4.splat
        (i32.add (i32.and (i32.sub (local.get $classes) (i32.const 1)) (i32.const 3)) (i32.const 1)))
      (v128.const i32x4 0 1 2 3)))

  ;; From the start of a row to its last vector, in bytes.
  (func $lastVector (param $classes i32) (result i32)
    (i32.and (i32.shl (i32.sub (local.get $classes) (i32.const 1)) (i32.const 2)) (i32.const -16)))

  ;; Measures `rows` rows from `row` on. Of each, the maximum and the sum of exp((x - maximum) scale) over all classes but one that has
  ;; the maximum go to `facts`; with `keep` the exps take the place of the logits. Where there is no softmax, the sum is NaN.
  (func (export "measure")
    (param $row i32) (param $rows i32) (param $classes i32) (param $scale f32) (param $facts i32) (param $keep i32)
    (local $at i32) (local $last i32) (local $lanes v128) (local $aside v128)
    (local $max v128) (local $scales v128) (local $t v128) (local $square v128) (local $e v128) (local $power v128) (local $lost v128) (local $ones v128)
    (local $sum v128) (local $count v128)
    (local $zero v128) (local $least v128) (local $log2e v128) (local $magic v128) (local $ln2 v128) (local $ln2rest v128)
    (local $one v128) (local $c2 v128) (local $c3 v128) (local $c4 v128) (local $c5 v128) (local $c6 v128)

    (local.set $lanes (call $ownLanes (local.get $classes)))
    (local.set $scales (f32x4.splat (local.get $scale)))
    ;; Below, exp counts as 0, just before it is subnormal.
    (local.set $least (f32x4.splat (f32.const -87.33)))
    (local.set $log2e (f32x4.splat (f32.const 0x1.715476p+0)))
    ;; 1.5 * 2^23, which leaves no digits behind the point, and the bias of an exponent.
    (local.set $magic (f32x4.splat (f32.const 0x1.8000fep+23)))
    ;; ln 2 in two parts; the first has so few digits that its products with whole numbers are exact.
    (local.set $ln2 (f32x4.splat (f32.const 0x1.62e4p-1)))
    (local.set $ln2rest (f32x4.splat (f32.const 0x1.7f7d1cp-20)))
    (local.set $one (f32x4.splat (f32.const 1)))
    ;; exp(r) = 1 + r + r^2 (c2 + c3 r + ...), by the least greatest relative error
    (local.set $c2 (f32x4.splat (f32.const 0x1.fffffcp-2)))
    (local.set $c3 (f32x4.splat (f32.const 0x1.555492p-3)))
    (local.set $c4 (f32x4.splat (f32.const 0x1.5558f2p-5)))
    (local.set $c5 (f32x4.splat (f32.const 0x1.1239d6p-7)))
    (local.set $c6 (f32x4.splat (f32.const 0x1.6a2448p-10)))

    (loop $nextRow
      (if (local.get $rows)
        (then
          (local.set $last (i32.add (local.get $row) (call $lastVector (local.get $classes))))
          (local.set $aside (v128.load (local.get $last)))
          (local.set $max (f32x4.splat (f32.const -inf)))
          (v128.store (local.get $last) (v128.bitselect (local.get $aside) (local.get $max) (local.get $lanes)))

          ;; pmax passes over what is NaN in its second operand.
          (local.set $at (local.get $row))
          (loop $next
            (local.set $max (f32x4.pmax (local.get $max) (v128.load (local.get $at))))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br_if $next (i32.le_u (local.get $at) (local.get $last))))
          (local.set $max (f32x4.pmax (local.get $max)
            (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $max) (local.get $max))))
          (local.set $max (f32x4.pmax (local.get $max)
            (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $max) (local.get $max))))

          ;; An infinite maximum is the log-sum-exp, unless the row has a NaN.
          (if (f32.ne (f32x4.extract_lane 0 (f32x4.sub (local.get $max) (local.get $max))) (f32.const 0))
            (then
              (local.set $at (local.get $row))
              (loop $next
                (local.set $t (v128.load (local.get $at)))
                (if (v128.any_true (f32x4.ne (local.get $t) (local.get $t)))
                  (then (local.set $max (f32x4.splat (f32.const nan)))))
                (local.set $at (i32.add (local.get $at) (i32.const 16)))
                (br_if $next (i32.le_u (local.get $at) (local.get $last))))))

          (local.set $sum (local.get $zero))
          (local.set $count (local.get $zero))
          (local.set $at (local.get $row))
          (loop $next
            (local.set $t (f32x4.mul (f32x4.sub (v128.load (local.get $at)) (local.get $max)) (local.get $scales)))
            (local.set $ones (f32x4.eq (local.get $t) (local.get $zero)))
            ;; exp(t) = 2^n exp(r) with r = t - n ln 2, |r| <= ln 2 / 2
            (local.set $lost (f32x4.lt (local.get $t) (local.get $least)))
            (local.set $e (f32x4.add (f32x4.mul (local.get $t) (local.get $log2e)) (local.get $magic)))
            (local.set $power (i32x4.shl (local.get $e) (i32.const 23)))
            (local.set $e (f32x4.sub (local.get $e) (local.get $magic)))
            (local.set $t (f32x4.sub
              (f32x4.sub (local.get $t) (f32x4.mul (local.get $e) (local.get $ln2)))
              (f32x4.mul (local.get $e) (local.get $ln2rest))))
            (local.set $square (f32x4.mul (local.get $t) (local.get $t)))
            (local.set $e (f32x4.mul (local.get $power)
              (f32x4.add (local.get $one)
                (f32x4.add (local.get $t) (f32x4.mul (local.get $square)
                  (f32x4.add
                    (f32x4.add (local.get $c2) (f32x4.mul (local.get $t) (local.get $c3)))
                    (f32x4.mul (local.get $square) (f32x4.add
                      (f32x4.add (local.get $c4) (f32x4.mul (local.get $t) (local.get $c5)))
                      (f32x4.mul (local.get $square) (local.get $c6))))))))))
            (local.set $e (v128.andnot (local.get $e) (local.get $lost)))
            (if (local.get $keep) (then (v128.store (local.get $at) (local.get $e))))
            ;; The ones are counted, so that one of them can be left out without loss.
            (local.set $count (i32x4.sub (local.get $count) (local.get $ones)))
            (local.set $e (v128.andnot (local.get $e) (local.get $ones)))
            (local.set $sum (f64x2.add (local.get $sum) (f64x2.promote_low_f32x4 (f32x4.add
              (local.get $e)
              (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $e) (local.get $e))))))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br_if $next (i32.le_u (local.get $at) (local.get $last))))

          (v128.store (local.get $last) (v128.bitselect (v128.load (local.get $last)) (local.get $aside) (local.get $lanes)))
          (f64.store (local.get $facts) (f64.promote_f32 (f32x4.extract_lane 0 (local.get $max))))
          (f64.store offset=8 (local.get $facts)
            (f64.add
              (f64.add (f64x2.extract_lane 0 (local.get $sum)) (f64x2.extract_lane 1 (local.get $sum)))
              (f64.convert_i32_s (i32.sub
                (i32.add
                  (i32.add (i32x4.extract_lane 0 (local.get $count)) (i32x4.extract_lane 1 (local.get $count)))
                  (i32.add (i32x4.extract_lane 2 (local.get $count)) (i32x4.extract_lane 3 (local.get $count))))
                (i32.const 1)))))

          (local.set $facts (i32.add (local.get $facts) (i32.const 16)))
          (local.set $row (i32.add (local.get $row) (i32.shl (local.get $classes) (i32.const 2))))
          (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
          (br $nextRow)))))

  ;; Multiplies each row by the first of its facts. What would be subnormal is 0, and never computed: that takes processors dozens of times
  ;; as long.
  (func (export "scale") (param $row i32) (param $rows i32) (param $classes i32) (param $facts i32)
    (local $at i32) (local $last i32) (local $lanes v128) (local $aside v128)
    (local $factor v128) (local $least v128) (local $e v128)
    (local.set $lanes (call $ownLanes (local.get $classes)))
    (loop $nextRow
      (if (local.get $rows)
        (then
          (local.set $last (i32.add (local.get $row) (call $lastVector (local.get $classes))))
          (local.set $aside (v128.load (local.get $last)))
          (local.set $factor (f32x4.splat (f32.demote_f64 (f64.load (local.get $facts)))))
          (local.set $least (f32x4.splat (f32.demote_f64
            (f64.div (f64.const 0x1p-126) (f64.abs (f64.load (local.get $facts)))))))
          (local.set $at (local.get $row))
          (loop $next
            (local.set $e (v128.load (local.get $at)))
            (v128.store (local.get $at) (f32x4.mul
              (v128.andnot (local.get $e) (f32x4.lt (local.get $e) (local.get $least)))
              (local.get $factor)))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br_if $next (i32.le_u (local.get $at) (local.get $last))))
          (v128.store (local.get $last) (v128.bitselect (v128.load (local.get $last)) (local.get $aside) (local.get $lanes)))
          (local.set $facts (i32.add (local.get $facts) (i32.const 16)))
          (local.set $row (i32.add (local.get $row) (i32.shl (local.get $classes) (i32.const 2))))
          (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
          (br $nextRow)))))

  ;; From the logits of each row, with a maximum and a logarithm in its facts: (x - maximum) scale - logarithm. From halves, since the
  ;; difference may be infinite where the product is not.
  (func (export "shift") (param $row i32) (param $rows i32) (param $classes i32) (param $scale f32) (param $facts i32)
    (local $at i32) (local $last i32) (local $lanes v128) (local $aside v128)
    (local $half v128) (local $max v128) (local $scales v128) (local $log v128)
    (local.set $lanes (call $ownLanes (local.get $classes)))
    (local.set $half (f32x4.splat (f32.const 0.5)))
    (local.set $scales (f32x4.splat (f32.add (local.get $scale) (local.get $scale))))
    (loop $nextRow
      (if (local.get $rows)
        (then
          (local.set $last (i32.add (local.get $row) (call $lastVector (local.get $classes))))
          (local.set $aside (v128.load (local.get $last)))
          (local.set $max (f32x4.mul (f32x4.splat (f32.demote_f64 (f64.load (local.get $facts)))) (local.get $half)))
          (local.set $log (f32x4.splat (f32.demote_f64 (f64.load offset=8 (local.get $facts)))))
          (local.set $at (local.get $row))
          (loop $next
            (v128.store (local.get $at) (f32x4.sub
              (f32x4.mul
                (f32x4.sub (f32x4.mul (v128.load (local.get $at)) (local.get $half)) (local.get $max))
                (local.get $scales))
              (local.get $log)))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br_if $next (i32.le_u (local.get $at) (local.get $last))))
          (v128.store (local.get $last) (v128.bitselect (v128.load (local.get $last)) (local.get $aside) (local.get $lanes)))
          (local.set $facts (i32.add (local.get $facts) (i32.const 16)))
          (local.set $row (i32.add (local.get $row) (i32.shl (local.get $classes) (i32.const 2))))
          (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
          (br $nextRow)))))
)
