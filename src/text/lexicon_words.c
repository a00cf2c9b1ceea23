/* The vocabulary of descriptions of people: how they look, what they wear and carry, what they do, and where.
 */
#include "text/lexicon.h"

const laip_lexicon_list laip_lexicon_words[] = {
    {LAIP_W_DET,
     "a an the this these those each every another any no some either neither all both such several many few "
     "multiple numerous which what whichever"},
    {LAIP_W_PRONOUN,
     "he she it they him them himself herself itself themselves i you we me us someone anyone somebody "
     "nobody everyone something nothing anything everything hers theirs mine none there"},
    {LAIP_W_PRONOUN | LAIP_W_WH, "who whom that"},
    {LAIP_W_POSSESSIVE, "his her its their my your our whose"},
    {LAIP_W_PREPOSITION, "of with without at for from to into onto upon as like under underneath beneath "
                         "below above behind beside besides between "
                         "among amongst during since until against toward towards near nearby via per than "
                         "if while because although though "
                         "when where whereas despite except including within amid about after before beyond "
                         "atop alongside unlike till "
                         "throughout how why whether aboard opposite past outside inside across along"},
    {LAIP_W_PREPOSITION | LAIP_W_PARTICLE, "in on by over off up down out around round through"},
    {LAIP_W_PARTICLE | LAIP_W_ADVERB,
     "away together apart forward forwards backward backwards aside upward upwards downward "
     "downwards sideways"},
    {LAIP_W_CONJUNCTION, "and or but nor plus"},
    {LAIP_W_NUMBER,
     "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
     "seventeen eighteen nineteen twenty thirty forty fifty sixty hundred dozen"},
    {LAIP_W_MODAL, "can could may might must shall should will would cannot"},
    {LAIP_W_BE, "is are was were be been being am appears appear seems seem looks"},
    {LAIP_W_ADVERB | LAIP_W_DEGREE,
     "very really quite slightly extremely too so rather fairly somewhat mostly mainly completely partially "
     "partly almost "
     "nearly just even fully totally entirely only also pretty more most less least much relatively "
     "moderately particularly especially exceptionally incredibly barely approximately roughly perhaps "
     "probably possibly "
     "maybe likely apparently seemingly currently usually not never always often still already again ever "
     "n't"},
    {LAIP_W_ADVERB, "here well then now today away ahead backwards halfway quickly slowly casually neatly "
                    "tightly loosely brightly lightly "
                    "heavily closely carefully formally smartly directly simply perfectly evenly finely "
                    "freshly newly poorly "
                    "elegantly fashionably comfortably stylishly warmly boldly vividly richly gently "
                    "leisurely briskly straight-ahead "
                    "indoors outdoors upstairs downstairs instead though however therefore hence else "
                    "respectively overall underneath "
                    "inside outside nearby downtown abroad alone altogether twice once"},
    /* Verb forms that are not regular, or that are always what somebody does. */
    {LAIP_W_VERB_S | LAIP_W_ACTION,
     "has does goes wears carries holds uses takes makes gets gives keeps brings sits puts comes "
     "seems appears reaches leans pushes pulls reads enters leaves exits listens speaks "
     "eats goes becomes includes consists remains dons"},
    {LAIP_W_VERB | LAIP_W_ACTION,
     "have do go wear carry hold ride get give bring sit put come seem appear reach enter leave"},
    {LAIP_W_PAST, "had did went wore rode stood sat walked ran took made came gave got kept led lost paid "
                  "sold spoke caught "
                  "brought bought taught thought found felt slept swung hung swept drew"},
    {LAIP_W_PAST | LAIP_W_ACTION,
     "done gone dressed seen held carried clad taken given shown made known said told left "
     "caught undone undone spotted attired positioned located situated seated photographed pictured captured "
     "accompanied followed wore walked stood sat used placed slung draped equipped "
     "paired fastened attached clasped wrapped strapped accented accentuated complemented"},
    {LAIP_W_PAST,
     "worn torn shorn woven knit cut drawn broken blown grown sewn thrown shaven unshaven bent bound spread "
     "split set swept stuck wound"},
    {LAIP_W_GERUND | LAIP_W_ACTION,
     "wearing carrying holding having using pushing taking making checking showing featuring containing "
     "displaying facing "
     "exposing revealing covering looking-at crossing entering leaving exiting passing approaching sporting "
     "donning "
     "reading drinking eating texting operating texting talking speaking standing sitting going coming being "
     "doing "
     "putting getting giving reaching touching grabbing gripping clutching touching wearing grasping "
     "listening watching "
     "answering dragging bringing sipping lighting wheeling boarding tying adjusting buttoning zipping "
     "balancing accompanying following leading posing"},
    {LAIP_W_GERUND | LAIP_W_ACTIVITY, "running walking hiking jogging cycling training shopping swimming "
                                      "bathing fishing hunting riding skating sewing dining "
                                      "living parking waiting sleeping dancing boxing working racing biking "
                                      "climbing skiing sailing cooking laundry "
                                      "wedding tracking traveling travelling playing jumping diving driving "
                                      "bowling basketballing gardening camping "
                                      "exercising yachting golfing sunbathing evening morning"},
    {LAIP_W_GERUND | LAIP_W_QUALITY, "matching fitting flowing contrasting looking smiling hanging dangling "
                                     "sparkling shining shimmering receding balding "
                                     "thinning greying graying fading clinging plunging billowing bulging "
                                     "alternating varying overlapping overhanging "
                                     "reflecting glowing peeling sagging striking interesting "
                                     "appearing-looking coordinating non-matching revealing-cut "
                                     "drooping protruding trailing tapering grinning boring outgoing "
                                     "surrounding standing-out wavering slimming"},
    {LAIP_W_PAST | LAIP_W_JOINED,
     "sleeved colored coloured framed brimmed rimmed trimmed lined striped checked printed patterned washed "
     "heeled toed "
     "soled waisted legged breasted shouldered collared necked haired laced sized shaped styled length "
     "studded strapped buttoned handled edged dyed bottomed topped bodied skinned aged backed fronted faced "
     "eyed "
     "hemmed cuffed pocketed hooded visored billed tipped tailored knitted quilted stained splattered "
     "covered hued toned tinted lensed "
     "fitted fit themed bearded piped banded panelled paneled dotted embossed encrusted plated layered "
     "inspired "
     "cheeked tied chested bellied lipped ended wheeled"},
    {LAIP_W_FASTENING | LAIP_W_NOUN,
     "button zip slip lace pull cut clip roll fold wrap snap hook tie step strap zipper push turn "
     "hand make warm throw stand cover lay pop flip drop cinch swim"},
    {LAIP_W_FASTENING, "carry"},
    {LAIP_W_FASTENING | LAIP_W_PAST,
     "buttoned slicked rolled pulled worn washed laced zipped cut cropped turned tucked pushed "
     "folded cuffed popped swept combed brushed gelled flipped tied cinched faded spiked puffed "
     "beaten dressed-up toned fitted hiked bundled scrunched beat"},
    {LAIP_W_ADJECTIVE,
     /* colours and how they are meant */
     "black white red blue green yellow pink purple brown grey gray beige maroon burgundy teal turquoise "
     "violet crimson "
     "scarlet magenta fuchsia lavender lilac mauve indigo aqua cyan ivory tan khaki navy auburn blonde blond "
     "brunette "
     "ginger charcoal dark light bright pale deep vivid neon fluorescent florescent pastel faded muted dull "
     "multicolored "
     "multicoloured multi-colored multicolor colorful colourful monochrome monochromatic reddish bluish "
     "greenish yellowish brownish greyish "
     "grayish pinkish purplish whitish blackish orangish orange-ish metallic shiny glossy matte iridescent "
     "transparent clear "
     "translucent opaque sheer see-through two-toned two-tone bi-colored ombre tie-dyed tie-dye bleached "
     "dirty chartreuse taupe "
     "ecru tawny rusty golden silvery coppery bronzed off-white nude rosy ruby amber dusty"
     /* patterns */
     " striped plaid checkered chequered checked floral flowery flowered dotted spotted polka-dot "
     "polka-dotted patterned printed "
     "graphic camouflage camo paisley gingham tartan argyle houndstooth herringbone pinstriped pinstripe "
     "zigzag geometric abstract "
     "tribal solid plain mottled heathered marled color-blocked colorblock tie-dyed diagonal horizontal "
     "vertical "
     /* size and shape */
     " short long tall small big large little huge tiny medium medium-length medium-sized mid-length mid "
     "middle wide narrow thick thin broad "
     "high low deep shallow tight loose baggy slim skinny slender lean fat chubby heavy heavyset heavy-set "
     "stocky plump overweight "
     "petite average average-sized full half round square rectangular oval circular pointed pointy flat "
     "straight curly wavy frizzy kinky "
     "curved bent angular boxy bulky puffy fluffy fuzzy furry flared bell-bottom oversize oversized "
     "undersized extra-large knee-length "
     "ankle-length floor-length full-length waist-length thigh-length calf-length shoulder-length "
     "chin-length elbow-length "
     "hip-length knee-high thigh-high ankle-high high-top low-top low-cut high-waisted low-rise high-heeled "
     "asymmetrical symmetrical asymmetric layered tiered ruffled pleated plain-colored open closed crossbody "
     "cross-body "
     /* make and style */
     " sleeveless strapless backless fingerless short-sleeved long-sleeved short-sleeve long-sleeve "
     "half-sleeved collared "
     "collarless hooded button-down button-up zip-up lace-up slip-on pull-on pullover buttoned unbuttoned "
     "zippered unzipped zipped tucked untucked "
     "ripped torn distressed worn tattered frayed ragged faded dirty clean muddy wet dry stained wrinkled "
     "crumpled "
     "pressed starched crisp new old worn-out brand-new used vintage retro modern trendy fashionable stylish "
     "chic elegant fancy "
     "formal informal casual sporty athletic dressy classic traditional ethnic western preppy punk gothic "
     "goth bohemian hippie "
     "professional business military tactical waterproof rainproof reflective protective thermal padded "
     "quilted insulated knitted knit crocheted "
     "woven embroidered beaded sequined sequinned studded laced lacy frilly silky satiny velvety woolen "
     "woollen leathery wooden "
     "plastic metal metallic rubbery cropped fitted tailored loose-fitting tight-fitting form-fitting "
     "figure-hugging relaxed snug stretchy "
     "stretch elastic elasticated adjustable disposable reusable portable electric electronic wireless "
     "digital soft hard stiff rigid "
     "sturdy chunky dainty delicate rugged simple ornate decorative comfortable comfy cozy cosy warm cool "
     "thermal matching mismatched "
     "different same similar identical various assorted other own main visible noticeable distinctive unique "
     "double single triple dual upper lower inner outer middle central rear external internal bare visible "
     "empty heavy-duty "
     "special regular normal typical standard common usual ordinary basic unknown unidentifiable"
     /* people */
     " young old older younger elderly middle-aged aged adult-looking mature youthful teenage senior asian "
     "caucasian african "
     "african-american american european chinese japanese korean indian hispanic latin latino middle-eastern "
     "foreign "
     "muscular muscled fit strong slight thin-built well-built athletic-looking handsome beautiful pretty "
     "attractive cute lovely "
     "bald balding bearded unshaven clean-shaven shaven shaved tattooed pierced bespectacled freckled tanned "
     "fair olive-skinned "
     "pregnant disabled barefoot barefooted shirtless topless happy sad serious stern tired bored calm "
     "friendly angry busy alone "
     "left-handed right-handed messy neat tidy unkempt disheveled dishevelled tousled spiky shaggy sleek "
     "smooth rough greasy oily braided "
     "permed dyed highlighted dreadlocked unruly bushy sparse receding shoulder-level chiseled pale-skinned "
     "dark-skinned "
     "dark-haired fair-haired light-skinned dark-colored light-colored light-coloured dark-coloured "
     "wrinkly smiling slouchy slouched hunched upright crossed folded outstretched raised lowered "
     /* places and the rest */
     " busy crowded sunny cloudy rainy snowy public private pedestrian-only concrete paved urban rural "
     "outdoor indoor grassy "
     "sandy rocky leafy glass-fronted parked iced hot cold fresh great good nice bad best better biggest "
     "largest smallest longer "
     "shorter larger smaller bigger darker lighter thicker thinner taller wider tighter looser longest "
     "shortest higher "
     "first second third last next main final early late recent available possible able unable "
     "american-style british french italian english scottish irish german spanish mexican russian arabic "
     "muslim islamic christian "
     "religious royal hawaiian safe cheap expensive luxury quick slow steep whole entire certain "
     "numerous-looking loud quiet rapid "
     "cylindrical triangular conical square-shaped heart-shaped v-shaped a-line boot-cut bootcut "
     "empire-waist capri-length cap-sleeved "
     "ginger-haired sun-kissed rosy-cheeked cuffed brimmed furry-trimmed ruched pintucked pin-striped "
     "bedazzled blinged sparkly glittery "
     "holographic oxidized weathered sun-bleached rimless frameless square-toed open-toed open-toe peep-toe "
     "closed-toe round-toe steel-toe "
     "soled chequer lightweight tubular feminine masculine girly boyish sexy modest conservative mini maxi "
     "midi micro"},
    /* Adjectives that are nouns when no noun follows. */
    {LAIP_W_ADJECTIVE | LAIP_W_NOUN | LAIP_W_TINT,
     "orange silver gold cream peach mustard rose wine olive coral salmon mint lime plum apricot copper "
     "bronze rust sand camel "
     "chocolate coffee caramel cobalt sapphire emerald lemon hunter forest baby powder midnight jet slate "
     "eggplant sage ochre "
     "pumpkin tomato cherry brick moss seafoam champagne pewter gunmetal ash honey platinum"},
    {LAIP_W_ADJECTIVE | LAIP_W_NOUN, "left right front male female adult teen dark-wash bottom top "
                                     "overweight average middle light black-and-white "
                                     "square chief kid patent latin human sky"},
    {LAIP_W_NOUN | LAIP_W_PLURAL, "clothes jeans pants trousers shorts slacks khakis chinos joggers leggings "
                                  "tights overalls coveralls dungarees "
                                  "glasses sunglasses spectacles goggles shades binoculars headphones "
                                  "earphones earbuds scissors pajamas pyjamas scrubs "
                                  "sweatpants sweats capris culottes briefs boxers trunks pantyhose "
                                  "stockings suspenders people men women children feet teeth "
                                  "groceries goods twenties thirties forties fifties sixties seventies teens "
                                  "bangs dreads dreadlocks flip-flops flipflops headlights surroundings "
                                  "belongings earmuffs mittens knickers undies trainers sneakers sandals "
                                  "loafers heels flats pumps wedges oxfords cleats clogs crocs "
                                  "uggs slippers stilettos moccasins galoshes wellingtons wellies bloomers "
                                  "corduroys cords cargos abs legs hands eyes arms ladies"},
    {LAIP_W_THING | LAIP_W_PLURAL | LAIP_W_NOUN,
     "shorts tights jeans pants trousers slacks glasses sunglasses feet teeth"},
    {LAIP_W_PERSON | LAIP_W_PLURAL | LAIP_W_NOUN,
     "people men women children ladies gentlemen folks pedestrians policemen guys girls "
     "boys persons"},
    {LAIP_W_NOUN | LAIP_W_STUFF,
     "denim leather cotton wool linen silk satin velvet suede corduroy fleece nylon polyester lycra spandex "
     "canvas fur "
     "faux-fur cashmere tweed flannel chiffon lace mesh jersey rubber plastic metal steel glass wood wicker "
     "straw paper cardboard "
     "pearl diamond bead beaded jean jeans sequin glitter patent vinyl latex fishnet crochet velcro spandex "
     "terry microfiber leopard "
     "zebra snakeskin crocodile animal salt pepper plaid camouflage camo floral paisley tartan gingham acid "
     "stone fur"},
    {LAIP_W_NOUN | LAIP_W_TRAIT, "sleeve sleeves length neck neckline collar waist knee ankle thigh calf "
                                 "shoulder heel toe cut fit leg rise wash print "
                                 "pattern stripe stripes style colour color dot dots crew v-neck u-neck "
                                 "turtle scoop halter spaghetti button hood rim frame brim line tone "
                                 "button-down button-up zip zipper pocket cuff quarter quarters platform "
                                 "polka top high-top bottom mandarin "
                                 "strap wide-leg straight-leg bell boot cap-sleeve plus size type weight "
                                 "waisted elbow hip mid-calf chest racerback raglan "
                                 "crewneck polo-style floral-print sports check"},
    {LAIP_W_NOUN,
     "clothing hair footwear headgear luggage jewelry jewellery makeup stubble eyewear underwear "
     "outerwear "
     "menswear "
     "sportswear swimwear activewear hairstyle hairdo baggage equipment gear attire apparel garb "
     "sportswear neckwear "
     "facial-hair headwear eyesight ring earring string building bed belly sling wing lining piercing "
     "stocking railing "
     "ceiling crossing legging stuffing padding stitching lettering branding coloring wedding "
     "polish nail dish rash bush brush trail trek bus dress glass grass class pass canvas compass cross mess "
     "business fabric family lady baby city "
     "kurta sari saree salwar kameez hijab abaya burqa niqab kimono qipao cheongsam kilt poncho tunic thobe "
     "turban beanie beret fedora visor bonnet cap hat helmet bun ponytail pigtail braid mohawk afro bob updo "
     "fringe "
     "beard goatee mustache moustache sideburn smile posture physique build figure complexion skin stature "
     "height "
     "frame age appearance gait expression street sidewalk pavement road crosswalk background foreground "
     "something-like cellphone smartphone phone mobile handbag purse backpack tote satchel briefcase "
     "suitcase "
     "half-zip quarter-zip henley hoodie tee tshirt t-shirt polo twenty-something thing way something-else "
     "area"},
    {0, NULL}};

const laip_lexicon_list laip_lexicon_nouns[] = {
    {LAIP_W_PERSON, "man woman person boy girl guy lady gentleman teenager adult child kid individual "
                    "student worker male female pedestrian "
                    "fellow toddler baby infant youth youngster teen businessman businesswoman officer "
                    "policeman guard waiter waitress "
                    "nurse doctor chef cyclist jogger runner tourist traveler traveller shopper skater "
                    "athlete player employee soldier "
                    "human figure subject model biker skateboarder bicyclist motorcyclist driver passenger "
                    "commuter customer vendor mother father "
                    "mom dad daughter son sister brother grandmother grandfather grandma grandpa friend "
                    "couple group crowd companion walker hiker "
                    "fireman firefighter janitor cleaner barista bride groom dude lad gal monk nun priest "
                    "teacher professor someone busker musician "
                    "guest stranger senior citizen courier mechanic clerk receptionist conductor"},
    {LAIP_W_THING,
     "shirt jacket coat sweater sweatshirt pullover hoodie cardigan vest blazer suit tuxedo blouse top tee "
     "t-shirt tshirt tanktop polo "
     "jersey dress skirt gown robe sundress jumpsuit romper uniform costume outfit apron parka windbreaker "
     "overcoat raincoat "
     "trenchcoat cape shawl poncho tunic camisole bra undershirt leotard swimsuit bikini tracksuit sweatsuit "
     "shoe sneaker boot sandal loafer slipper trainer clog moccasin sock stocking legging pant "
     "trouser jean "
     "hat cap helmet beanie headband bandana headscarf scarf tie bowtie necktie glove mitten belt watch "
     "wristwatch bracelet necklace "
     "earring ring pendant chain lanyard badge wristband armband bag backpack handbag purse tote satchel "
     "briefcase suitcase "
     "umbrella phone cellphone smartphone camera laptop tablet book notebook folder newspaper magazine "
     "bottle cup can drink coffee "
     "box cart stroller bicycle bike scooter motorcycle skateboard wallet key towel blanket jug basket "
     "bucket flag sign "
     "body ear eye face head hair nose mouth lip chin cheek forehead neck shoulder arm elbow hand wrist "
     "finger "
     "chest back waist hip leg "
     "thigh knee ankle foot beard mustache moustache goatee ponytail bun braid tattoo car van truck bus "
     "bench tree wall door "
     "bandanna visor kerchief fannypack rucksack knapsack duffel duffle pouch clutch case earphone headphone "
     "headset dog cat balloon "
     "bouquet flower toy doll ball racket racquet bat guitar cane crutch walker wheelchair walkie-talkie "
     "radio pen pencil clipboard "
     "paper package parcel envelope ticket map mug thermos cigarette snack sandwich fruit apple banana pizza "
     "burger food"},
    {0, "collar sleeve pocket cuff hem hood button zipper buckle strap stripe logo emblem patch print "
        "pattern design graphic letter "
        "word number slogan picture image star heart circle dot line square triangle cross dragon skull "
        "flower leaf bow ribbon ruffle "
        "pleat slit rip hole tear fray tassel bead sequin jewel stud pin brooch clip hairband hairpin "
        "barrette scrunchie "
        "bang lock curl wave highlight dreadlock cornrow braid layer part fade haircut shoe heel sole lace "
        "tongue toe "
        "side middle center centre edge bottom rim frame lens brim bill panel piping trim detail accent seam "
        "street road sidewalk path store shop mall station platform stair step escalator elevator hallway "
        "corridor floor "
        "fence pole lamp traffic-light shelf counter table chair desk window gate entrance exit school "
        "office market park field "
        "pair set bunch piece kind type sort lot bit amount variety combination style color colour shade "
        "tone size look "
        ""
        "light pack load view angle direction position distance day night time year photo photograph"},
    {LAIP_W_DEED, "walk work talk stand pose rest ride run show stride cover face point match contrast sport "
                  "step drop touch stop "
                  "fall turn pull push drink cross wait visit dance play race climb jump wave glance stare "
                  "gaze smile laugh end start"},
    {0, NULL}};

const laip_lexicon_list laip_lexicon_verbs[] = {
    {0, "wear carry hold walk talk look stand sit rest hang ride push pull drag use take make check show "
        "feature contain display "
        "face expose reveal cover cross enter leave exit pass+ approach sport don+ read drink eat text "
        "operate speak go come "
        "put get+ give reach touch grab+ grip+ clutch grasp listen watch answer bring sip+ light wheel board "
        "adjust fasten "
        "button zip+ balance accompany follow lead pose run+ jog+ hike shop+ swim+ fish hunt skate sew dine "
        "live park wait sleep "
        "dance box work race bike climb ski sail cook train play jump dive drive bowl garden camp exercise "
        "travel match fit+ "
        "flow contrast smile dangle sparkle shine shimmer recede thin+ fade cling plunge billow bulge "
        "alternate vary overlap+ "
        "reflect glow peel sag+ coordinate droop protrude trail taper grin+ salute direct guide wick hug+ "
        "flash fan+ draw sketch photograph tow haul hoist juggle swipe tap+ sneeze munch chew gulp pour "
        "cradle stumble limp hobble tiptoe loiter idle browse examine inspect study view observe notice "
        "admire greet meet join embrace cuddle comfort assist escort chase flee escape avoid dodge block "
        "surround lean bend stretch cycle "
        "turn head move "
        "step+ stride stroll stop+ start begin+ end fall drop+ rise raise lift lower extend fold wrap+ tie "
        "tuck roll cuff pop+ "
        "sweep comb brush gel flip+ cinch spike puff bundle dress clothe style curl braid part slick pin+ "
        "trim+ shave dye "
        "paint print stripe pattern decorate adorn embellish accent pair consist include seem appear remain "
        "stay keep continue "
        "like want need try help wave point gesture gaze stare glance smoke blow dig search find see hear "
        "feel touch pick "
        "place set lay lie sling drape strap attach connect fix position locate situate seat capture picture "
        "photograph spot "
        "complete compose cut slit rip+ tear wash fold crop+ flare frame line edge hem+ bead knit weave "
        "layer pad+ quilt "
        "shape size color colour tone shade tint dot+ check wait lick hug+ kiss bow cradle clasp flap+ "
        "spread scratch rub+ "
        "open close unbutton unzip+ untuck button peek poke peer squat kneel crouch hurry rush march pace "
        "wander saunter "
        "sway swing twist rotate descend ascend board alight depart arrive return visit photograph film "
        "record type scroll dial "
        "call ring chat+ converse discuss laugh cry frown wink blink yawn cough wipe dry clean sweep mop+ "
        "buy sell pay purchase "
        "serve deliver load unload pack unpack ship stack perform sing compete throw catch kick hit bounce "
        "dribble ride steer "
        "pedal commute hitch crawl skip+ trot trudge stumble trip+ slouch slump hunch lounge recline relax "
        "nap+ hide shield "
        "protect shelter display belong own support weigh measure depict represent resemble indicate suggest "
        "allow let gather "
        "ruffle pleat ruch tailor distress bleach stain splatter wrinkle crumple stitch embroider sequin "
        "stud+ emboss tattoo "
        "pierce tan+ freckle age hood collar sleeve brim+ rim+ heel toe lace buckle snap+ hook clip+ velcro"},
    {0, NULL}};
