// Written by tools/goldens/tokenizers/scripts.py from tokenizers 0.23.3, whose scripts are those of Unicode 10.

/**
 * The code points of each script, scripts apart by empty lines: in base 36, how many lie between a range and the one
 * before it, and how many are in it. Hiragana and Katakana are one script with Han.
 */
export const scriptRanges: string = `
  0 w 1 w q 6 q 1b 1 f 1 5 n 1 v 1 ch 13 5 5 2 k 38 1 9 1 6 1 1 1 e9 1 3f 1 6 1 e 2 2 1 w 1 4c 1
  ec 1 3l 2 yh 1 b9 4 82 1 167 3 1z 2 5n 2 1 1 y5 1 d 1 7 4 1 6 1 2 ll c 2 2f 1 b 3 b 1 f h v 1t
  12 1 3 2 6 1 r 1 h 15 3 4 hb 1 13 p b l ps 74 hg 2 w 2 y 3 c 1 8 q 4 eo 1x bv c 4 5 1 1 1 p f 8
  4 4 2j 2 3 1 2i 1 44 g w 10 1o 1s v 29 3s 4o 534 1s hkw y 2u 3 4l a 6s 1 4g 1 az 1 g6a 2 5s a m
  z 1 j 1 4 43 1 1 w q 6 q b a 1 19 2 1s 7 1 7 a 5 76 3 4 19 3 9 28 c 1g 19 6c r 10o4 4 3to 6u a
  13 2 1q 3 h 8 2 7 u 4 1n 7r 2f 9 i 3y 2d 1 1z 1 2 2 1 2 2 2 4 1 c 1 1 1 7 1 1t 1 4 2 8 1 7 1 s 1
  4 1 5 1 1 3 7 1 9g 2 84 2 1e 4qo 18 4 2s c f 2 f 1 f 1 11 a d 3 v 1 1o 4 1p 1l q 1 2 d 18 4 9 7
  2 4u r7 d d 3 7 9 38 c 2d 17 c 4 1k 8 a 6 14 8 u 2q f 1 8 8 1 2 c 1 c 4 f x i 1a 1 gw1s 1 u 2o

  1t q 6 q 1b 1 f 1 5 n 1 v 1 ch 13 5 55n 12 6 1d 5 4 5 d 1 1y 1t 74 a9 1 d 1 g d 3x 2 6 1 r 1 h
  15 253 w o82 2u 3 10 1 8 1r 9 mo 17 1 9 fq3 7 t6 q 6 q

  kq 2 93t 15 36 r

  lc 34 7p 2 ck b q 1 kg 2 3fh f ep 3 1 d 1 7 4 1 6 1 3 2 5i 1i 5 5 ek 2 5e x 309 4 2z 2 14kl g g
  e r3 1 6a 1 14sm 3 h 8 2 7 u 4 h45u 6o

  og 4 1 3 2 4 1 1 4 1 1 1 1 3 1 1 1 k 1 1r e g 4yu 5 1e 5 4 5 2c 1 8w m 2 6 2 12 2 6 2 8 1 1 1 1
  1 1 1 v 2 1h 1 f 1 e 2 6 1 j 2 3 1 9 87 1 rb2 1 gyi 27 h 1 155r 1y

  rm e 80g 38 5 7

  sg 3p 2 4p 4ls 9 4i 1 24 1 38n w nr4 2o ham 2

  10x 12 2 7 1 13 2 1 2 3 1chv 5

  13l 1j 8 r 5 5 1cfc q 1 5 1 1 1 2 1 2 1 a

  16o 5 1 6 1 e 3 1 1 w 1 a b q 1 30 1 y 28 1c 80 l 1 8 m e 1 t 1bv4 36 h a3 i 1s 2 1i 14 e 36 5 1
  3r 31f v 185d 4 1 r 1 2 1 1 2 1 1 a 1 4 1 1 1 1 6 1 4 1 1 1 1 1 1 3 1 2 1 1 2 1 1 1 1 1 1 1 1 1
  1 2 1 1 2 4 1 7 1 4 1 4 1 1 1 a 1 h 5 3 1 5 1 h 1g 2

  1ds e 1 1o 2 3

  1hc 1e

  1j4 1n

  1kw 1a 2 f

  1mo s 2 1

  1s0 29 2 h 2 q vhc u

  1vk 4 1 8 2 2 2 m 1 7 1 1 3 4 2 9 2 2 2 4 8 1 4 2 1 5 2 m

  1z5 3 1 6 4 2 2 m 1 7 1 2 1 2 1 2 2 1 1 5 4 2 2 3 3 1 7 4 1 1 7 g

  22p 3 1 9 1 3 1 m 1 7 1 2 1 5 2 a 1 3 1 3 2 1 f 4 2 c 7 1

  269 3 1 8 2 2 2 m 1 7 1 2 1 5 2 9 2 2 2 3 8 2 4 2 1 5 2 i

  29u 2 1 6 3 3 1 4 3 2 1 1 1 2 3 2 3 3 3 c 4 5 3 3 1 4 2 1 6 1 e l

  2dc 4 1 8 1 3 1 n 1 g 3 8 1 3 1 4 7 2 1 3 5 4 2 a 8 8

  2gw 4 1 8 1 3 1 n 1 a 1 5 2 9 1 3 1 4 7 2 7 1 1 4 2 a 1 2

  2kh 3 1 8 1 3 1 15 2 8 1 3 1 6 4 g 2 q

  2o2 2 1 i 3 o 1 9 1 1 2 7 3 1 4 6 1 1 1 8 6 a 2 3 1fcc k

  2rl 1m 5 s

  2v5 2 1 1 2 2 1 1 2 1 6 4 1 7 1 3 1 1 1 1 2 2 1 d 1 3 2 5 1 1 1 6 2 a 2 4

  2yo 20 1 10 4 13 1 10 1 f 1 7 4 2

  35s 4g u9s v 2p w

  3a8 12 1 1 5 1 2 17 1 4 5j4 12 1 1 5 1

  3cw 74 5ym 2 75 2m 35 v 1t v nhd t hv 8mc c n 4 1d 7tw v 3 6 2 6 2 6 2 3

  3k0 21 1 4 2 7 1 1 1 4 2 15 1 4 2 x 1 4 2 7 1 1 1 4 2 f 1 1l 1 4 2 1v 2 w 3 q 546 n 9 7 1 7 1 7
  1 7 1 7 1 7 1 7 1 7 opu 6 2 6 2 6 9 7 1 7

  3vk 2e 2 6 twy 28

  3y8 hs fk 1y

  4g0 t

  4gw 23 3 b

  4jk d 1 7

  4kg l

  4lc k

  4m8 d 1 3 1 2

  4n4 2m 2 a 6 a di w

  4qo 2 2 1 1 9 1 a 6 2g 8 17 1e45 d

  4xs v 1 c 4 c 4 1 3 c

  500 u 2 5

  51c 18 4 q 6 b 3 2

  54w s 2 2

  55s 1r 1 t 2 b 6 a 6 e

  5c0 24 4 19

  5fk 1s 74 8

  5hc 1g 8 4

  5j4 1k 3 f 3 3

  5lc 1c

  7wg 74

  8ow 1b 1 1b 2e1t 7 1 h 2 7 1 2 1 5

  8xc 1k 7 2 e 1

  96o q 1 2h c 5y 1b 1 1 1 p 9 e 4 5 2e 6 3 1 2i 1 4 6o g 5s 1b 1 2g 4o 52u 22 g5y hm2 a6 2 2y wc
  a 1 19 yua 2 d1a 1 2rj wyf 15 379 b 66 2 4g2 866 f2

  vls wd 3 1j

  wk0 1c

  wlc 8c

  www 2g 124o ft

  x6o 18

  x8g 1k

  xa8 1y 8 c

  xds 1a 1 1

  xf4 10 b 1

  xhc 26 2 a 4 2

  xkw 1j 9 e 2 a 2 4

  xog 1v o 5

  xr4 n 5l 1a 2 a

  1ekg c 1 q 1 j 1 2 1 f 2 e y 3f

  1f28 t

  1f34 1d

  1f5s 10

  1f74 r

  1f80 17

  1f9c u 1 1

  1fa8 10 4 e

  1fcw 28

  1ff4 1c

  1fgg u 2 a

  1fhs 10 4 10

  1fk0 14

  1flc 1g b 1

  1fr4 8n 9 m a 8

  1g5c 6 2 1 1 18 1 2 3 1 2 1

  1g74 m 1 9

  1g80 w

  1g8w v 8 9

  1gbk j 1 2 5 5

  1gcg s 3 1

  1gdc q 5 1

  1gg0 w

  1ggw o 4 k 2 1a

  1gjk 4 1 2 5 8 1 3 1 r 4 3 4 9 8 9

  1gm8 w

  1gn4 w

  1gow 13 4 c

  1gqo 1i 3 7

  1gsg m 2 8

  1gtc j 5 8

  1gu8 i 7 4 c 7

  1gxs 21

  1h1c 1f d 1f 7 6

  1hq8 26 4 u f 1

  1hts 1u

  1hw0 p 7 a

  1hxc 1h 1 e

  1hzk 13

  1i0w 26 2 g

  1i4g i 1 18

  1i80 7 1 1 1 4 1 f 1 b

  1i9c 1n 5 a

  1ibk 4 1 8 2 2 2 m 1 7 1 2 1 5 2 9 2 2 2 3 2 1 6 1 5 7 2 7 3 5

  1iio 2i 1 1 1 1

  1im8 20 8 a

  1itc 1i 2 12

  1iww 1x b a

  1j0g 1k 8 a

  1j40 q 3 f 4 g

  1jfk 2b c 1

  1juo 1l

  1k3k 9 1 19 1 e a t

  1k6o w 2 m 1 e

  1kw0 pm 2u 33 1 5 b 5g

  1o1s tr

  1s00 g7

  1zk0 v 1 a 4 2

  1zo0 u 2 6

  1zpc 1y a a 1 7 1 l 5 j

  20hs 1x b 1b g h

  20o0 1 v 4q5 j kz

  2fpc 2z 5 d 3 9 7 a 2 4

  2l8g i4 f 5 1 f

  2oe8 5h 2 g

  2olc 23 5 a 4 2
`;
